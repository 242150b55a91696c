"""Stack frames out of text, in the languages that people run in production.

A frame ties a symptom to a file, a function and a line, and so to the change that touched them. Text comes
from logs that anybody can write to: input is bounded, and every pattern runs in time linear in its line.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.analysis.findings import Frame

MAX_CHARS = 1_000_000
MAX_LINE = 2_000
MAX_FRAMES = 400

_SOURCE = (
    r"(?:c|cc|cpp|cxx|h|hh|hpp|hxx|m|mm|java|kts?|scala|groovy|clj|go|rs|rb|rake|erb|pyi?|pyx|jsx?|mjs|cjs|tsx?|"
    r"vue|svelte|php|inc|phtml|cs|fs|vb|swift|dart|lua|pl|pm|t|sh|bash|ps1|sql|tf|hcl|ya?ml|json|toml|ini|cfg|conf|"
    r"xml|gradle|cmake|mk|am|ac|pp|epp|erl|exs?|hs|mli?|jl|proto|graphql|html?|s?css|less|in|j2|tpl|tmpl|gni?|bzl|S)"
)
_PYTHON = re.compile(r'[^"]{0,120}File "([^"]{1,500})", line (\d{1,7})(?:, in (.{1,200}))?')
_PYTHON_END = re.compile(r"[\sE]*((?:[a-z_]\w{0,80}\.){0,8}[A-Z]\w{1,100})(?::|\s*$)")
_JVM = re.compile(
    r"\W{0,40}at ([^\s()]{1,400})\((?:([\w$-]{1,200}\.(?:java|kts?|scala|groovy|clj))(?::(\d{1,7}))?"
    r"|Native Method|Unknown Source)\)"
)
_DOTNET = re.compile(
    r"\s*at ([A-Z][^\s()]{0,300}\.[^\s()]{1,200})\([^()]{0,400}\)(?: in (.{1,400}):line (\d{1,7}))?\s*$"
)
_NODE = re.compile(r"\s*at (?:([^()]{1,200}) )?\(?([^()\s]{1,500}):(\d{1,7}):\d{1,7}\)?\s*$")
_GO = re.compile(r"\s+(\S{1,500}\.(?:go|s)):(\d{1,7})(?: \+0x[0-9a-f]{1,16})?\s*$")
_GO_LISTED = re.compile(r".{0,200}#\d{1,4} (\S{1,300}\.(?:go|s)):(\d{1,7}) - ([\w./]{1,200})")
_RUBY = re.compile(
    r"\s*(?:from |\d{1,4}: from )?([^\s:][^:]{0,400}\.(?:rb|rake|erb|ru)):(\d{1,7}):in [`']([^']{1,200})'"
)
_PHP = re.compile(r"\s*#\d{1,4} ([^\s(]{1,400}\.(?:php|inc|phtml))\((\d{1,7})\): ([^\s(]{1,200})")
_NUMBERED = re.compile(
    r"\s*#\d{1,4}\s+(?:0x[0-9a-fA-F]{1,16} in )?([\w$~<>:.*&]{1,300})(?=[\s(+]|$)"
)
_PLACE = re.compile(r"([^\s():]{1,400}\.\w{1,6}):(\d{1,7})(?::\d{1,7})?\)?\s*$")
_MEMCHECK = re.compile(r"\s*==\d{1,9}==\s+(?:at|by) 0x[0-9A-Fa-f]{1,16}: ")
_MEMCHECK_PLACE = re.compile(r"([^\s():]{1,200}):(\d{1,7})\)")
_RUST = re.compile(r"\s+at ([^\s:]{1,400}\.rs):(\d{1,7})(?::\d{1,7})?\s*$")
_RUST_CALL = re.compile(r"\s*\d{1,4}:\s+(?:0x[0-9a-f]{1,16} - )?(\S.{0,299})$")
_OFFSET = re.compile(r"\b([A-Za-z_][\w.]{2,120})\+0x[0-9a-f]{1,8}(?:/0x[0-9a-f]{1,8}\b|\))")
_REFERENCE = re.compile(
    rf"(?<![\w./\\:@~+-])((?:[A-Za-z]:)?[\w./\\@~+-]{{1,300}}\.{_SOURCE})"
    r"(?::|\(|,? (?:on |at )?line:? |\" line )(\d{1,7})\b"
)
_EXCEPTION = re.compile(
    r"(?<![\w.$\\:/'\"`(<])((?:[A-Za-z_$][\w$]{0,80}(?:\.|::|\\)){0,12}(?:[A-Za-z_$][\w$]{0,100})?"
    r"(?:Error|Exception|Throwable|Failure|Fault|Interrupt))(?=:|\s*$|; nested)"
)
_FINDING = re.compile(r"(?:Address|Thread|Memory|Leak|UndefinedBehavior)Sanitizer: ([\w-]{3,60})")
_RUBY_CLASS = re.compile(r"\(([A-Z][\w:]{2,100})\)\s*$")
_HEAD = re.compile(
    r"[^\"]{0,120}(?:Traceback \(most recent call last\)|goroutine \d{1,9} \[|Call Trace|call trace|"
    r"stack backtrace:)"
)
_LIBRARY = re.compile(
    r"(?:^|/)(?:site-packages|dist-packages|node_modules|gems|\.cargo|rustc|sysdeps|glibc|libgcc|Python\.framework|"
    r"vendor/(?:bundle|github\.com|golang\.org|composer|symfony|laravel)|lib(?:64)?/python\d|usr/(?:lib|include)|"
    r"usr/local/(?:go|lib|include)|go/pkg/mod)(?:[/.\d-]|$)"
    r"|^(?:node:|internal/|<|java/|javax/|jakarta/|jdk/|sun/|com/sun/|kotlinx?/|scala/|org/junit/|junit/|"
    r"org/springframework/|org/gradle/|org/hibernate/|io/netty/|reactor/|System\.|Microsoft\.|runtime/|testing/|net/http/)"
    r"|/[Ll]ib/(?:runpy|multiprocessing|asyncio|unittest|importlib|threading|socket|shutil|concurrent)\b"
    r"|pthread_create\.c|libc-start\.c|(?:^|/)clone3?\.S"
)


@dataclass(slots=True)
class _Reading:
    """What has been read so far of a text."""

    found: list[Frame] = field(default_factory=list)
    start: int = 0  #: where the frames of the present exception begin
    exception: str = ""
    call: str = ""  #: a function whose place stands on a later line
    previous: str = ""
    seen: set[tuple[str, str, str]] = field(default_factory=set)

    def add(self, language: str, file: str, line: str = "", function: str = "") -> None:
        """Keep a frame; repeats within one exception (endless recursion) are one."""
        path = _path(file)
        key = (path, line, function)
        if key in self.seen or len(self.found) >= MAX_FRAMES:
            return
        if len(self.found) > self.start and self.found[-1].language != language:
            self.close("" if self.found[-1].language else self.exception)
        self.seen.add(key)
        self.found.append(
            Frame(
                file=path,
                line=int(line) if line else None,
                function=function.strip()[:200],
                language=language,
                in_app=not _LIBRARY.search(path or function),
                depth=len(self.found) - self.start if language else 0,
                exception=self.exception,
            )
        )

    def in_python(self) -> bool:
        return len(self.found) > self.start and self.found[-1].language == "python"

    def close(self, exception: str = "") -> None:
        """End the present exception's frames and begin the next one's.

        Python prints the innermost frame last and the exception below it; all others do the reverse.
        """
        if self.in_python():
            part = self.found[self.start :]
            self.found[self.start :] = [
                frame.model_copy(update={"depth": len(part) - 1 - index, "exception": exception})
                for index, frame in enumerate(part)
            ]
            exception = ""
        self.start = len(self.found)
        self.exception = exception
        self.call = ""
        self.seen.clear()


def frames(text: str) -> tuple[Frame, ...]:
    """Find the frames of every trace in a text, in the order of the text.

    `depth` counts from where each exception was raised (0); `exception` is its class, or the finding of a
    sanitizer, so a cause chain is a sequence of exceptions. A `file:line` outside any trace (compiler, linter,
    test runner) is a frame of language "" and depth 0. At most 400 frames, of the first million characters.
    """
    reading = _Reading()
    for raw in text[:MAX_CHARS].split("\n"):
        line = raw[:MAX_LINE].rstrip()
        if line and not any(reader(line, reading) for reader in _READERS):
            _other(line, reading)
        reading.previous = line
    reading.close()
    return tuple(reading.found)


def _path(file: str) -> str:
    path = file.strip().removeprefix("file://").replace("\\\\", "\\").replace("\\", "/")
    return path.removeprefix("./")[-500:]


def _python(line: str, reading: _Reading) -> bool:
    match = _PYTHON.match(line) if 'File "' in line else None
    if match:
        reading.add("python", match[1], match[2], match[3] or "")
    return match is not None


def _jvm(line: str, reading: _Reading) -> bool:
    match = _JVM.match(line) if "at " in line else None
    if not match:
        return False
    owner, _, method = match[1].rpartition("/")[2].rpartition(".")
    package, _, simple = owner.rpartition(".")
    file = match[2] or f"{simple.partition('$')[0]}.java"
    folder = package.replace(".", "/")
    place = f"{folder}/{file}" if folder else file
    reading.add("jvm", place, match[3] or "", f"{simple}.{method}")
    return True


def _node(line: str, reading: _Reading) -> bool:
    match = _NODE.match(line) if "at " in line else None
    if match:
        name = (match[1] or "").removeprefix("async ").removeprefix("new ").rstrip()
        language = "rust" if match[2].endswith(".rs") else "node"
        if language == "rust":
            call = _RUST_CALL.match(reading.previous)
            name = call[1] if call else ""
        reading.add(language, match[2], match[3], name)
    return match is not None


def _dotnet(line: str, reading: _Reading) -> bool:
    match = _DOTNET.match(line) if "at " in line else None
    if match:
        reading.add("dotnet", match[2] or "", match[3] or "", match[1])
    return match is not None


def _go(line: str, reading: _Reading) -> bool:
    if ".go:" not in line and ".s:" not in line:
        return False
    listed = _GO_LISTED.match(line)
    if listed:
        reading.add("go", listed[1], listed[2], listed[3])
        return True
    match = _GO.match(line)
    if match:
        call = reading.previous.removeprefix("created by ").partition(" in goroutine")[0]
        call = call.rpartition("(")[0] if call.endswith(")") else call
        reading.add("go", match[1], match[2], call.rpartition("/")[2])
    return match is not None


def _ruby(line: str, reading: _Reading) -> bool:
    match = _RUBY.match(line) if ":in " in line else None
    if not match:
        return False
    raised = _RUBY_CLASS.search(line[match.end() :])
    if raised:
        reading.close(raised[1])
    reading.add("ruby", match[1], match[2], match[3])
    return True


def _php(line: str, reading: _Reading) -> bool:
    match = _PHP.match(line) if "): " in line else None
    if match:
        reading.add("php", match[1], match[2], match[3])
    return match is not None


def _native(line: str, reading: _Reading) -> bool:
    """C and C++: debuggers and sanitizers (`#3 0x12 in f (x=1) at a.c:7`), which may wrap their lines."""
    numbered = _NUMBERED.match(line)
    if numbered:
        reading.call = numbered[1]
    elif not (reading.call and line[:1].isspace()):
        return False
    place = _PLACE.search(line[-420:])
    if place:
        reading.add("native", place[1], place[2], reading.call)
        reading.call = ""
    return True


def _memcheck(line: str, reading: _Reading) -> bool:
    match = _MEMCHECK.match(line)
    if not match:
        return False
    name, _, rest = line[match.end() :].rpartition(" (")
    place = _MEMCHECK_PLACE.match(rest)
    if place:
        reading.add("native", place[1], place[2], name)
    return True


def _offset(line: str, reading: _Reading) -> bool:
    """Traces without sources: kernel oops, glibc `backtrace`, programs that print their own."""
    match = _OFFSET.search(line) if "+0x" in line else None
    if match:
        reading.add("native", "", "", match[1])
    return match is not None


_READERS: tuple[Callable[[str, _Reading], bool], ...] = (
    _python,
    _jvm,
    _node,
    _dotnet,
    _go,
    _ruby,
    _php,
    _memcheck,
    _native,
    _offset,
)


def _other(line: str, reading: _Reading) -> None:
    """A line that is no frame: the head or the end of a trace, or a reference to a place."""
    reading.call = ""
    if reading.in_python():
        end = _PYTHON_END.match(line)
        if end:
            reading.close(end[1])
            return
    raised = _EXCEPTION.search(line)
    finding = _FINDING.search(line)
    if raised or finding:
        reading.close((raised or finding or [""])[1])
    elif line.startswith("panic: "):
        reading.close("panic")
    elif _HEAD.match(line):
        reading.close(reading.exception)
    for match in _REFERENCE.finditer(line):
        reading.add("", match[1], match[2])
