"""Empties the connection table of the network namespace that it runs in, as `conntrack -F` does."""

import socket
import struct

NETLINK_NETFILTER, CONNTRACK_DELETE, REQUEST_WITH_ANSWER = 12, 1 << 8 | 2, 5

with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER) as kernel:
    kernel.send(struct.pack("=IHHIIBBH", 20, CONNTRACK_DELETE, REQUEST_WITH_ANSWER, 1, 0, 0, 0, 0))
    (error,) = struct.unpack_from("=i", kernel.recv(4096), 16)
    if error:
        raise OSError(-error, "the connection table can not be emptied")
