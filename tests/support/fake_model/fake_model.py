#!/usr/bin/env python3
"""A stand-in for the model endpoint that an agent CLI talks to, so that a real agent works without a vendor.

It plays one scenario: write each file, run each command, then say the text. The step follows from the number of
tool results in the conversation, so every conversation gets the whole scenario and the server keeps no state.
Speaks the Anthropic Messages API. The agent needs ANTHROPIC_BASE_URL=http://ADDRESS:PORT and any ANTHROPIC_API_KEY.

Prints "listening on ADDRESS:PORT", then one line per request, on standard output.
"""

import argparse
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MAX_REQUEST_BYTES = 64 << 20
Block = dict[str, Any]


def scenario(writes: list[list[str]], commands: list[str], text: str) -> list[Block]:
    """The content block of each step; the last one ends the turn."""
    steps: list[Block] = [tool_use("Write", {"file_path": path, "content": content}) for path, content in writes]
    steps += [tool_use("Bash", {"command": command, "description": "run a command"}) for command in commands]
    return [*steps, {"type": "text", "text": text}]


def tool_use(name: str, arguments: dict[str, str]) -> Block:
    return {"type": "tool_use", "name": name, "input": arguments}


def next_block(steps: list[Block], request: dict[str, Any]) -> Block:
    """The block for this conversation. A request without tools (a title, a check of the quota) gets text."""
    if not request.get("tools"):
        return steps[-1]
    contents = (message.get("content") for message in request.get("messages", []))
    blocks = (block for content in contents if isinstance(content, list) for block in content)
    results = sum(1 for block in blocks if block.get("type") == "tool_result")
    number = min(results, len(steps) - 1)
    block = dict(steps[number])
    if block["type"] == "tool_use":
        block["id"] = f"toolu_step{number}"
    return block


def message(block: Block, model: str) -> dict[str, Any]:
    return {
        "id": "msg_fake",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [block],
        "stop_reason": "tool_use" if block["type"] == "tool_use" else "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }


def events(block: Block, model: str) -> list[tuple[str, dict[str, Any]]]:
    """The same message as a stream: name and data of each event."""
    whole = message(block, model)
    if block["type"] == "tool_use":
        start = {**block, "input": {}}
        delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
    else:
        start = {"type": "text", "text": ""}
        delta = {"type": "text_delta", "text": block["text"]}
    ending = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    return [
        ("message_start", {"message": {**whole, "content": [], "stop_reason": None}}),
        ("content_block_start", {"index": 0, "content_block": start}),
        ("content_block_delta", {"index": 0, "delta": delta}),
        ("content_block_stop", {"index": 0}),
        ("message_delta", {"delta": ending, "usage": {"output_tokens": 1}}),
        ("message_stop", {}),
    ]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "FakeModel"

    def do_HEAD(self) -> None:
        self._send(200, "application/json", b"")

    def do_GET(self) -> None:
        self._send(200, "application/json", b"{}")

    def do_POST(self) -> None:
        try:
            length = int(self.headers.get("Content-Length", "0"))
            if length > MAX_REQUEST_BYTES:
                raise ValueError("request too large")
            request = json.loads(self.rfile.read(length))
            if not isinstance(request, dict):
                raise ValueError("request is not an object")
        except ValueError as error:
            self.close_connection = True
            self._fail(400, "invalid_request_error", str(error))
            return
        path = self.path.partition("?")[0]
        if path == "/v1/messages":
            self._answer(request)
        elif path == "/v1/messages/count_tokens":
            self._send(200, "application/json", b'{"input_tokens":1}')
        else:
            self._fail(404, "not_found_error", f"no such endpoint: {path}")

    def _answer(self, request: dict[str, Any]) -> None:
        model = str(request.get("model", "fake"))
        block = next_block(self.server.steps, request)
        if request.get("stream"):
            parts = (f"event: {name}\ndata: {json.dumps({'type': name, **data})}\n\n" for name, data in events(block, model))
            self._send(200, "text/event-stream", "".join(parts).encode())
        else:
            self._send(200, "application/json", json.dumps(message(block, model)).encode())

    def _fail(self, status: int, kind: str, text: str) -> None:
        error = {"type": "error", "error": {"type": kind, "message": text}}
        self._send(status, "application/json", json.dumps(error).encode())

    def _send(self, status: int, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        print(format % arguments, flush=True)


class FakeModel(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: str, port: int, steps: list[Block]) -> None:
        self.steps = steps
        super().__init__((address, port), Handler)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listen", default="127.0.0.1:0", metavar="ADDRESS:PORT", help="port 0 takes a free one")
    parser.add_argument("--write", nargs=2, action="append", default=[], metavar=("PATH", "CONTENT"),
                        help="write a file (absolute path, as the agent sees it); may be repeated")  # fmt: skip
    parser.add_argument("--command", action="append", default=[], help="run a shell command; may be repeated")
    parser.add_argument("--text", default="Done.", help="what the agent says at the end")
    options = parser.parse_args(arguments)
    address, _, port = options.listen.rpartition(":")
    if not address or not port.isdigit():
        parser.error(f"--listen expects ADDRESS:PORT, not '{options.listen}'")
    server = FakeModel(address, int(port), scenario(options.write, options.command, options.text))
    print(f"listening on {address}:{server.server_port}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


if __name__ == "__main__":
    main(sys.argv[1:])
