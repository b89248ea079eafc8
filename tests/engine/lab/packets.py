"""Packets and frames byte by byte, as no program inside could send them by ordinary means."""

import ipaddress
import struct

ICMP, IPIP, TCP, UDP, IPV6, ROUTING, FRAGMENT, GRE, ESP, ICMP6, NO_NEXT, SCTP = 1, 4, 6, 17, 41, 43, 44, 47, 50, 58, 59, 132
LOOSE_ROUTE, STRICT_ROUTE = 131, 137
REDIRECT, REDIRECT6, ROUTER_ADVERTISEMENT = 5, 137, 134
ALL_NODES = "ff02::1"
BROADCAST_MAC = "ff:ff:ff:ff:ff:ff"
MORE_FRAGMENTS = 0x2000


def checksum(data: bytes) -> int:
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def address(text: str) -> bytes:
    return ipaddress.ip_address(text).packed


def ipv4(source: str, target: str, protocol: int, payload: bytes, options: bytes = b"", fragment: int = 0) -> bytes:
    """options: padded by the caller to 4 bytes. fragment: flags and offset, as they are in the header."""
    words = 5 + len(options) // 4
    head = struct.pack("!BBHHHBBH4s4s", 0x40 | words, 0, words * 4 + len(payload), 77, fragment, 64, protocol, 0,
                       address(source), address(target)) + options  # fmt: skip
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def ipv6(source: str, target: str, next_header: int, payload: bytes, hops: int = 64) -> bytes:
    return struct.pack("!IHBB16s16s", 6 << 28, len(payload), next_header, hops, address(source), address(target)) + payload


def udp(source: str, target: str, port: int, payload: bytes, source_port: int = 40000) -> bytes:
    head = struct.pack("!HHHH", source_port, port, 8 + len(payload), 0)
    return head[:6] + struct.pack("!H", sum_with_addresses(source, target, UDP, head + payload) or 0xFFFF) + payload


def tcp_syn(source: str, target: str, port: int, payload: bytes) -> bytes:
    """With data, which a SYN may have: to be known again."""
    head = struct.pack("!HHIIBBHHH", 40000, port, 1, 0, 5 << 4, 2, 65535, 0, 0)
    return head[:16] + struct.pack("!H", sum_with_addresses(source, target, TCP, head + payload)) + head[18:] + payload


def icmp(kind: int, body: bytes, code: int = 0) -> bytes:
    """body: what follows the checksum."""
    return struct.pack("!BBH", kind, code, checksum(struct.pack("!BBH", kind, code, 0) + body)) + body


def icmp6(source: str, target: str, kind: int, body: bytes) -> bytes:
    message = struct.pack("!BBH", kind, 0, 0) + body
    return message[:2] + struct.pack("!H", sum_with_addresses(source, target, ICMP6, message)) + body


def sum_with_addresses(source: str, target: str, protocol: int, data: bytes) -> int:
    return checksum(address(source) + address(target) + struct.pack("!II", len(data), protocol) + data)


def source_route(option: int, *hops: str) -> bytes:
    route = b"".join(map(address, hops))
    return struct.pack("!BBB", option, 3 + len(route), 4) + route + b"\0"


def routing_header(next_header: int, hop: str, kind: int = 0) -> bytes:
    return struct.pack("!BBBBI", next_header, 2, kind, 1, 0) + address(hop)


def router_advertisement(source: str, prefix: str, mark: bytes) -> bytes:
    """With a default route and a prefix to make addresses of. mark: in an option that nobody knows."""
    body = struct.pack("!BBHII", 64, 0, 1800, 0, 0)
    body += struct.pack("!BBBBIII16s", 3, 4, 64, 0xC0, 3600, 3600, 0, address(prefix))
    mark = mark.ljust(-(-(len(mark) + 2) // 8) * 8 - 2, b"\0")
    return icmp6(source, ALL_NODES, ROUTER_ADVERTISEMENT, body + struct.pack("!BB", 253, (len(mark) + 2) // 8) + mark)


def arp_claim(mac: str, claimed: str) -> bytes:
    """A gratuitous reply: the address `claimed` is at `mac`."""
    packed = mac_bytes(mac)
    return struct.pack("!HHBBH", 1, 0x0800, 6, 4, 2) + packed + address(claimed) + mac_bytes(BROADCAST_MAC) + address(claimed)


def mac_bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def frame(target_mac: str, source_mac: str, packet: bytes, tags: tuple[tuple[int, int], ...] = (), protocol: int = 0) -> bytes:
    """tags: VLAN tags as (type, id). protocol: by the packet's own version if 0."""
    protocol = protocol or (0x86DD if packet[0] >> 4 == 6 else 0x0800)
    head = mac_bytes(target_mac) + mac_bytes(source_mac)
    return head + b"".join(struct.pack("!HH", *tag) for tag in tags) + struct.pack("!H", protocol) + packet


def snap_frame(target_mac: str, source_mac: str, packet: bytes) -> bytes:
    """802.3 with LLC and SNAP headers instead of a protocol number."""
    body = b"\xaa\xaa\x03\0\0\0\x08\x00" + packet
    return mac_bytes(target_mac) + mac_bytes(source_mac) + struct.pack("!H", len(body)) + body
