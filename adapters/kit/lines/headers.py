"""How text logs begin: the headers that stand between a timestamp and the message, as a table.

A text format is a way of writing the time (`times.STAMPS`) followed by one of these headers, in almost any
combination, so neither list needs to know the other. Patterns are RE2-like (they run on whole columns) and
name their groups after the columns of a `LogBatch`; what they match is taken off, the rest is the message.
The order is from the particular to the general: a general header also matches what a particular one does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from adapters.kit.lines.levels import ANY_CASE, BEFORE_COLON, CAPITALS

_UP = rf"(?P<level>{CAPITALS})"
_ANY = rf"(?P<level>{ANY_CASE})"
_NAME = r"[A-Za-z][A-Za-z0-9_.-]*"
_SERVICE = r"(?P<service>[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*)"
_HOST = r"(?P<host>[A-Za-z0-9][A-Za-z0-9_.:-]*)"
_TRACE = r"(?P<trace>[0-9a-fA-F-]{8,64})"


@dataclass(frozen=True, slots=True)
class Header:
    """What follows a timestamp.

    Attributes:
        name: what it is called in tests.
        pattern: anchored after the timestamp; groups `level`, `service`, `host`, `trace`, `status`, and
            `logger`, which is put back before the message.
        whole: the match is not taken off: it is the message (an access log's request line).
        inner: the message may itself be a log line of another format.
        carrier: put before every line by what collects or shows it, also before those that continue another.
        tells: lines with it begin an event for certain; a bare timestamp may stand on every line of a trace.
        access: the level follows from the status.
    """

    name: str
    pattern: str
    whole: bool = False
    inner: bool = False
    carrier: bool = False
    tells: bool = True
    access: bool = False


_REQUEST = r'"[^"]*" (?P<status>[1-5][0-9]{2})\b'

# What may stand before the time. Those with a level of their own go with the last headers only.
LEADS: Final = (
    r"^(?:<(?P<pri>[0-9]{1,3})>)?[\[(]?",
    r"^[DIWEFA], \[(?P<ruby>)",
    rf"^\[?{_UP}\]?:?[\t ]+(?:\[[A-Za-z][^\]]*\] )?[\[(]?",
    r"^[A-Za-z][\w.-]*\.log[\w.:-]* ",
    r"^(?:-|[A-Z]{3,12}) ",  # the label of the alert lists of supercomputers
)

HEADERS: Final = (
    # CRI; https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md
    Header("cri", r"^ (?:stdout|stderr) (?P<part>[FP])(?::[^ ]*)? ", inner=True, carrier=True, tells=False),
    # Spring Boot; https://docs.spring.io/spring-boot/reference/features/logging.html
    Header(
        "spring",
        rf"^ *{_UP} +(?:\[(?P<service>[^,\]]*),{_TRACE}?,[^\]]*\] +)?[0-9]+ --- "
        rf"(?:\[(?P<app>{_NAME})\] \[[^\]]*\] |\[[^\]]*\] )(?:\[[0-9a-f-]*\] )?",
    ),
    # PostgreSQL, log_line_prefix '%m [%p] %q%u@%d '
    Header(
        "postgres",
        r"^ \[[0-9]+(?:-[0-9]+)?\](?:: \[[0-9-]+\])? (?:[^ ]+@[^ ]+ )?"
        r"(?P<level>LOG|ERROR|FATAL|PANIC|WARNING|NOTICE|INFO|DEBUG[1-5]?):  ?",
    ),
    Header("nginx error", rf"^ \[{_ANY}\] [0-9]+#[0-9]+: (?:\*[0-9]+ )?"),
    Header("apache error", rf"^\] \[(?:[a-z_]*:)?{_ANY}[0-9]?\] (?:\[pid [^\]]*\] )?(?:\[client [^\]]*\] )?"),
    Header("envoy", rf"^\]?\[[0-9]+\]\[{_ANY}\]\[[a-z_0-9]+\] (?:\[[^\]]*\] )?"),
    Header("elastic", rf"^\]\[{_UP} *\]\[(?P<logger>[^\] ]+) *\] ?"),
    Header("request", rf"^\]? {_REQUEST}", whole=True, access=True),
    Header("gunicorn", rf"^\] \[[0-9]+\] \[{_UP}\] "),
    Header("celery", rf"^: {_UP}/[^\]]*\] "),
    Header("ruby", rf"^ #[0-9]+\] +{_UP} -- (?:[^ :]*: )?"),
    Header("lambda node", rf"^\t(?P<trace>[0-9a-f-]{{36}}|undefined)\t{_UP}\t"),
    Header("zap", rf"^\t{_ANY}\t(?:{_NAME}\t)?(?:(?P<logger>[^\t ]+:[0-9]+)\t)?"),
    Header("php", r"^\] (?:PHP )?(?P<level>Fatal|Parse|Warning|Notice|Deprecated|Recoverable fatal|Core)(?: error)?: ", whole=True),
    Header("monolog", rf"^\] (?:[A-Za-z0-9_-]+)\.{_UP}: "),
    Header("python dashes", rf"^ - (?:[0-9]+ - )?(?P<logger>[^ ]+) - (?:[^ ]+ - )??{_UP} - "),
    Header("dashes", rf"^ -+ (?:\[[^\]]*\] )?{_UP} +(?:\[.{{0,160}}?\] +)?-+ "),
    Header("pipes", rf"^ ?\| ?{_UP} *\|? ?"),
    Header("mongo", r"^ (?P<level>[DIWEF])[1-5]? +(?P<logger>[A-Z]+) +\[[^\]]*\] "),
    Header("android", r"^ +[0-9]+ +[0-9]+ (?P<level>[VDIWEF]) "),
    Header("blue gene", rf"^ [0-9.]{{10}} (?P<host>[A-Z0-9][^ ]+) [0-9-]{{10}}-[0-9.]{{15}} [^ ]+ [A-Z]+ (?P<logger>[A-Z]+) {_UP} "),
    Header("thunderbird", r"^ [0-9.]{10} (?P<host>[^ ]+) [A-Z][a-z]{2} [ 0-9]?[0-9] [0-9:]{8} [^ ]+ (?:[^ ]*/)?(?P<service>[^ /\[:]+)(?:\[[0-9]+\])?: ?"),
    Header("thread level", rf"^\]? *(?:\[[^\]]*\] *)+{_UP} +(?:- )?"),
    Header("pid level", rf"^ [0-9]+ \[?{_ANY}\]? "),
    Header("level service", rf"^\]? +\[?{_UP}\]?:? +\[{_SERVICE}\]:? "),
    Header("service level", rf"^\]? +\[?{_SERVICE}\]?:? +\[?{_UP}\]?:? +"),
    Header("host service level", rf"^ +{_HOST} (?P<service>[A-Za-z][A-Za-z0-9_./@-]*)(?:\[[0-9]+\])?:? +\[?{_UP}\]?:? +"),
    Header("host service pid", rf"^ +{_HOST} (?P<service>[A-Za-z][A-Za-z0-9_./@-]*)\[[0-9]+\]: ", inner=True),
    Header("bracket level", rf"^\]? *\[{_ANY} *\]:? *"),
    Header("level", rf"^\]?,? +{_UP}(?::|\]|,)? +(?:\[[^\]]*\] +)?(?:- +)?"),
    Header("windows", r"^, (?P<level>Info|Warning|Error) +"),
    Header("level colon", rf"^\]? +(?P<level>{BEFORE_COLON}): +"),
    Header("gitlab", r"^ [0-9]{2}[OE][ +]?", inner=True, carrier=True, tells=False),
    Header("bracket service", rf"^\]? \[{_SERVICE}\]:? ", inner=True, tells=False),
    Header("bare", r"^(?:\]:? ?|\) | -+ |: |,? |\t|\|)?", inner=True, tells=False),
)  # fmt: skip

# After the time of RFC 3164 there is a host and a tag, unless a relay left out the host.
SYSLOG_HEADERS: Final = (
    Header(
        "haproxy",
        rf"^ (?:{_HOST} )?(?P<service>haproxy)\[[0-9]+\]: [^ ]+ \[[^\]]+\] [^ ]+ [^ ]+ [-+0-9/]+ "
        r"(?P<status>[1-5][0-9]{2}) ",
        whole=True,
        access=True,
    ),
    Header("syslog level", rf"^ {_HOST} (?P<service>[^ \[:]+)(?:\[[^\]]*\])?: +\[?{_UP}\]?:? +"),
    Header("syslog", rf"^ {_HOST} (?P<service>[^ \[:]+)(?:\[[^\]]*\])?: ?", inner=True),
    Header("syslog no host", r"^ (?P<service>[^ \[:]+)(?:\[[0-9]+\])?: ?", inner=True),
)  # fmt: skip

# Formats whose time is elsewhere, or which have none: the whole beginning in one pattern.
LINES: Final = (
    # RFC 5424 section 6
    (
        "iso",
        Header(
            "rfc5424",
            r"^<(?P<pri>[0-9]{1,3})>1 {stamp} (?P<host>[^ ]+) (?P<service>[^ ]+) [^ ]+ [^ ]+ "
            r"(?:-|(?:\[(?:[^\]\\\"]|\\.|\"(?:[^\"\\]|\\.)*\")*\])+) ?(?:\xef\xbb\xbf|\ufeff)?",
            inner=True,
        ),
    ),
    ("day month year", Header("redis", r"^[0-9]+:[A-Z] {stamp} (?P<level>[.*#-]) ")),
    ("klog", Header("klog", r"^(?P<level>[IWEF]){stamp} +[0-9]+ (?P<logger>[^ \]]+)\] ")),
    ("klog", Header("glog", r"^(?P<level>[IWEF])[0-9]{4}{stamp} +[0-9]+ (?P<logger>[^ \]]+)\] ")),
    ("day month year", Header("access", rf"^(?:[^ ]+ )?[^ ]+ [^ ]+ [^ \[]+ \[{{stamp}}\] {_REQUEST}", whole=True, access=True)),
    ("day month year", Header("haproxy bare", r"^[^ ]+:[0-9]+ \[{stamp}\] [^ ]+ [^ ]+ [-+0-9/]+ (?P<status>[1-5][0-9]{2}) ", whole=True, access=True)),
    ("iso", Header("load balancer", r"^(?:https?|h2|wss?|grpcs?) {stamp} [^ ]+ [^ ]+ [^ ]+ [-0-9.]+ [-0-9.]+ [-0-9.]+ (?P<status>[1-5][0-9]{2}) ", whole=True, access=True)),
    ("iso", Header("lambda python", rf"^\[{_UP}\]\t{{stamp}}\t(?P<trace>[0-9a-f-]{{36}})\t")),
    ("", Header("kubectl", r"^\[pod/(?P<host>[^/ \]]+)/(?P<service>[^/ \]]+)\] ", inner=True, carrier=True, tells=False)),
    ("", Header("stern", r"^(?P<host>[a-z0-9-]+-[a-z0-9]{8,10}-[a-z0-9]{5}) (?P<service>[a-z0-9][a-z0-9-]*) ", inner=True, carrier=True, tells=False)),
    ("", Header("compose", r"^(?P<service>[a-z0-9][a-z0-9_.-]*?)(?:[-_][0-9]+)? +\| ", inner=True, carrier=True, tells=False)),
    ("", Header("python basic", rf"^{_UP}:(?P<logger>[A-Za-z_][\w.]*):")),
    ("", Header("dotnet console", r"^(?P<level>trce|dbug|info|warn|fail|crit): [A-Z][\w.]*\[[0-9]+\]", whole=True)),
    ("", Header("level first", rf"^\[?{_UP}(?:\]:?|:)[ \t]+", tells=False)),
    ("", Header("level word", rf"^{_UP} +(?:- )?", tells=False)),
)  # fmt: skip
