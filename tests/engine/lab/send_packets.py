"""Sends packets from the network namespace that it runs in: JSON list of {"way", "data" (hex)} in on stdin.

way: "frame" (from the Ethernet header on, by a packet socket) or "raw" (from the IP header on, by a raw socket).
Prints a JSON list of what the kernel said to each: 0 or an errno. Usage: send_packets.py DEVICE
"""

import json
import socket
import sys


def send(device: str, way: str, data: bytes) -> int:
    try:
        if way == "frame":
            with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
                sender.bind((device, 0))
                sender.send(data)
            return 0
        family, where = (socket.AF_INET6, data[24:40]) if data[0] >> 4 == 6 else (socket.AF_INET, data[16:20])
        with socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW) as sender:
            sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            scope = (0, 0, socket.if_nametoindex(device)) if family == socket.AF_INET6 else (0,)
            sender.sendto(data, (socket.inet_ntop(family, where), *scope))
        return 0
    except OSError as error:
        return error.errno or -1


if __name__ == "__main__":
    print(json.dumps([send(sys.argv[1], item["way"], bytes.fromhex(item["data"])) for item in json.load(sys.stdin)]))
