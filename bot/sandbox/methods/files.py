"""Files (the three steps of `files_upload_v2`) and canvases."""

from __future__ import annotations

import mimetypes
import secrets

from aiohttp import web

from bot.sandbox import state
from bot.sandbox.errors import Json, SlackError
from bot.sandbox.limits import check_blocks
from bot.sandbox.methods.chat import bot_author
from bot.sandbox.methods.desk import Args, Desk, Method
from bot.sandbox.state import Canvas, Channel, File
from bot.sandbox.wording import normalised

LARGEST_CANVAS = 1_000_000


def _upload_url(desk: Desk, args: Args) -> Json:
    name, length = args.text("filename"), args.number("length", 0)
    if length <= 0:
        raise SlackError(
            "invalid_arguments", messages=["must be greater than 0 [json-pointer:/length]"]
        )
    kind = mimetypes.guess_type(name)[0] or "text/plain"
    file = File(desk.workspace.next_id("F"), name, state.BOT_USER_ID, name, b"", kind, length)
    desk.workspace.files[file.id] = file
    key = secrets.token_urlsafe(24)
    desk.uploads[key] = file.id
    return {"upload_url": f"{desk.workspace.origin}/upload/{key}", "file_id": file.id}


async def receive(desk: Desk, request: web.Request) -> web.Response:
    """The second step: the bytes, raw or as the first part of a form."""
    file_id = desk.uploads.pop(request.match_info["key"], None)
    if file_id is None:
        return web.Response(status=404, text="unknown upload")
    file = desk.workspace.files[file_id]
    if request.content_type == "multipart/form-data":
        parts = [one for one in (await request.post()).values() if isinstance(one, web.FileField)]
        file.content = parts[0].file.read() if parts else b""
    else:
        file.content = await request.read()
    if len(file.content) != file.length:
        return web.Response(
            status=400, text=f"{file.length} bytes were announced, {len(file.content)} came"
        )
    return web.Response(text=f"OK - {len(file.content)}")


def _complete(desk: Desk, args: Args) -> Json:
    completed = []
    for given in args.objects("files") or []:
        file = desk.workspace.files.get(str(given.get("id")))
        if file is None or not file.content or file.complete:
            raise SlackError("file_not_found")
        file.title = str(given.get("title") or file.name)
        completed.append(file)
    reference = args.text("channel_id") or args.text("channels").partition(",")[0]
    channel = desk.writable(Args({"channel": reference})) if reference else None
    check_blocks(args.given.get("blocks"), "message")
    for file in completed:
        file.complete = True
        desk.workspace.changed("file", file.id, file)
    if channel is not None:
        _share(desk, channel, completed, args)
    return {"files": [desk.workspace.file_shown(one) for one in completed]}


def _share(desk: Desk, channel: Channel, files: list[File], args: Args) -> None:
    for file in files:
        file.channels.append(channel.id)
    body: Json = {
        "subtype": "file_share",
        "text": normalised(args.text("initial_comment")),
        **bot_author(),
    }
    body |= {"files": [desk.workspace.file_shown(one) for one in files], "upload": True}
    if args.given.get("blocks"):
        body["blocks"] = args.given["blocks"]
    desk.workspace.post(channel, state.BOT_ID, body, thread_ts=args.text("thread_ts"))


def _file(desk: Desk, args: Args) -> File:
    file = desk.workspace.files.get(args.text("file"))
    if file is None or not file.complete:
        raise SlackError("file_not_found")
    return file


def _info(desk: Desk, args: Args) -> Json:
    return {"file": desk.workspace.file_shown(_file(desk, args)), "comments": []}


def _delete(desk: Desk, args: Args) -> Json:
    file = _file(desk, args)
    if file.owner != state.BOT_USER_ID:
        raise SlackError("cant_delete_file")
    del desk.workspace.files[file.id]
    desk.workspace.store.drop("file", file.id)
    desk.workspace.changed()
    return {}


def _create_canvas(desk: Desk, args: Args) -> Json:
    canvas = Canvas(
        desk.workspace.next_id("F"),
        args.text("title"),
        _markdown(args.given.get("document_content")),
    )
    desk.workspace.canvases[canvas.id] = canvas
    desk.workspace.changed("canvas", canvas.id, canvas)
    return {"canvas_id": canvas.id}


def _create_channel_canvas(desk: Desk, args: Args) -> Json:
    channel = desk.writable(args, "channel_id")
    if any(one.channel == channel.id for one in desk.workspace.canvases.values()):
        raise SlackError("channel_canvas_already_exists")
    created = _create_canvas(desk, args)
    canvas = desk.workspace.canvases[created["canvas_id"]]
    canvas.channel = channel.id
    desk.workspace.changed("canvas", canvas.id, canvas)
    return created


def _edit_canvas(desk: Desk, args: Args) -> Json:
    canvas = desk.workspace.canvases.get(args.text("canvas_id"))
    if canvas is None:
        raise SlackError("canvas_not_found")
    for change in args.objects("changes") or []:
        words = _markdown(change.get("document_content"))
        how = change.get("operation")
        if how == "replace":
            canvas.markdown = words
        elif how == "insert_at_end":
            canvas.markdown = f"{canvas.markdown}\n{words}"
        elif how == "insert_at_start":
            canvas.markdown = f"{words}\n{canvas.markdown}"
        else:
            raise SlackError("canvas_editing_failed", detail=f"operation {how} is not supported")
    desk.workspace.changed("canvas", canvas.id, canvas)
    return {}


def _markdown(given: object) -> str:
    if given is None:
        return ""
    if (
        not isinstance(given, dict)
        or given.get("type") != "markdown"
        or not isinstance(given.get("markdown"), str)
    ):
        raise SlackError("canvas_creation_failed", detail="document_content must be markdown")
    if len(given["markdown"]) > LARGEST_CANVAS:
        raise SlackError("canvas_too_large")
    return str(given["markdown"])


METHODS = {
    "files.getUploadURLExternal": Method(_upload_url, 100, "files:write", ("filename", "length")),
    "files.completeUploadExternal": Method(_complete, 100, "files:write", ("files",)),
    "files.info": Method(_info, 100, "files:read", ("file",)),
    "files.delete": Method(_delete, 50, "files:write", ("file",)),
    "canvases.create": Method(_create_canvas, 20, "canvases:write"),
    "canvases.edit": Method(_edit_canvas, 50, "canvases:write", ("canvas_id", "changes")),
    "conversations.canvases.create": Method(
        _create_channel_canvas, 20, "canvases:write", ("channel_id",)
    ),
}
