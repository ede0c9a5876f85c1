#!/usr/bin/env python3
"""Shows what a running devloop does: status.py [Devloopfile]. Python's standard library is all that it needs."""
import base64, glob, json, os, socket, struct, sys


def find(devloopfile):
    """The newest daemon of this user (or of one Devloopfile) whose socket answers. Returns the open socket."""
    runtime, uid = os.environ.get("XDG_RUNTIME_DIR", ""), os.getuid()
    folders = [f"{runtime}/devloop"] * runtime.startswith("/") + [f"/run/user/{uid}/devloop", f"/tmp/devloop-{uid}"]
    files = [file for folder in folders for file in glob.glob(f"{folder}/*.json") if os.stat(file).st_uid == uid]
    for daemon in sorted((json.load(open(file)) for file in files), key=lambda one: -one["startedAt"]):
        if devloopfile and os.path.realpath(devloopfile) != os.path.realpath(daemon["devloopfile"]):
            continue
        try:
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(daemon["socket"])
            return connection
        except OSError:
            pass  # one that was killed left its file behind
    sys.exit("devloop does not run")


def send(stream, data, opcode=1):
    """One frame: 1 is text, 8 close, 10 the answer to a ping of the WebSocket. What a client sends must be masked."""
    size, mask = len(data), os.urandom(4)
    head = struct.pack("!BB", 128 | opcode, 128 | size) if size < 126 else struct.pack("!BBH", 128 | opcode, 254, size)
    stream.write(head + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(data)))
    stream.flush()


def messages(stream):
    """What the daemon sends, until the connection ends: one message a frame."""
    while len(head := stream.read(2)) == 2:
        opcode, size = head[0] & 15, head[1] & 127
        if size > 125:
            size = struct.unpack("!H", stream.read(2))[0] if size == 126 else struct.unpack("!Q", stream.read(8))[0]
        data = stream.read(size)
        if opcode == 8:
            return
        if opcode == 9:
            send(stream, data, 10)
        elif opcode == 1:
            yield json.loads(data)


stream = find(sys.argv[1] if len(sys.argv) > 1 else None).makefile("rwb")
key = base64.b64encode(os.urandom(16)).decode()
stream.write(f"GET /v1/stream HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode())
stream.flush()
while stream.readline().strip():
    pass  # the answer: a daemon that refuses sends no frames, and the connection ends
hello = {"type": "hello", "protocol": {"major": 1, "minor": 0}, "client": "status.py", "topics": ["state"]}
send(stream, json.dumps({**hello, "state": {"kinds": ["resource", "change"]}, "access": "read"}).encode())
shown = {}
for message in messages(stream):
    if message.get("type") == "ping":
        send(stream, b'{"type":"pong"}')
    if message.get("type") in ("error", "goodbye"):
        print(message.get("reason") or message["error"]["message"])
    for view in message.get("snapshot", []) + message.get("upserts", []):
        line = view["status"] if view["kind"] == "resource" else f"live in {view['liveMs']} ms" if "liveMs" in view else None
        if view["kind"] in ("resource", "change") and line and shown.get(view["kind"] + view["name"]) != line:
            shown[view["kind"] + view["name"]] = line
            print(view["name"] if view["kind"] == "resource" else " ".join(view["paths"]), line, flush=True)
