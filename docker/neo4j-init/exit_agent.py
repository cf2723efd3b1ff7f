"""Writes the jar by which a running Java server is asked to end with an exit code: ``exit_agent.py FILE``.

A signal cannot carry an exit code, and only the server's own process can set that of the container. The jar holds one class,
written here byte by byte since the images have no compiler; in Java it is

    public final class Exit { public static void agentmain(String code) { System.exit(Integer.parseInt(code)); } }

System.exit runs Neo4j's own orderly shutdown. Layout: Java Virtual Machine Specification, chapter 4, "The class File Format".
"""

import struct
import sys
import zipfile

UTF8, CLASS, METHOD, NAME_AND_TYPE = 1, 7, 10, 12
PUBLIC_STATIC, PUBLIC_FINAL_SUPER, JAVA_8 = 0x0009, 0x0031, 52


class Pool:
    """A constant pool that gives each constant's number."""

    def __init__(self) -> None:
        self.entries: list[bytes] = []

    def add(self, tag: int, content: bytes) -> int:
        self.entries.append(bytes([tag]) + content)
        return len(self.entries)

    def text(self, value: str) -> int:
        return self.add(UTF8, struct.pack(">H", len(value)) + value.encode())

    def pair(self, tag: int, first: int, second: int) -> int:
        return self.add(tag, struct.pack(">HH", first, second))

    def class_(self, name: str) -> int:
        return self.add(CLASS, struct.pack(">H", self.text(name)))

    def method(self, owner: str, name: str, signature: str) -> int:
        return self.pair(
            METHOD, self.class_(owner), self.pair(NAME_AND_TYPE, self.text(name), self.text(signature))
        )


def exit_class() -> bytes:
    """Give the class file."""
    pool = Pool()
    this, parent = pool.class_("Exit"), pool.class_("java/lang/Object")
    parse = pool.method("java/lang/Integer", "parseInt", "(Ljava/lang/String;)I")
    leave = pool.method("java/lang/System", "exit", "(I)V")
    name, signature, code_name = pool.text("agentmain"), pool.text("(Ljava/lang/String;)V"), pool.text("Code")
    # aload_0, invokestatic parseInt, invokestatic exit, return
    code = struct.pack(">BBHBHB", 0x2A, 0xB8, parse, 0xB8, leave, 0xB1)
    attribute = struct.pack(">HHI", 1, 1, len(code)) + code + struct.pack(">HH", 0, 0)
    method = struct.pack(">HHHH", PUBLIC_STATIC, name, signature, 1)
    method += struct.pack(">HI", code_name, len(attribute)) + attribute
    head = struct.pack(">IHHH", 0xCAFEBABE, 0, JAVA_8, len(pool.entries) + 1) + b"".join(pool.entries)
    body = struct.pack(">HHHHHH", PUBLIC_FINAL_SUPER, this, parent, 0, 0, 1)
    return head + body + method + struct.pack(">H", 0)


with zipfile.ZipFile(sys.argv[1], "w") as jar:
    for file, content in (
        ("META-INF/MANIFEST.MF", b"Manifest-Version: 1.0\r\nAgent-Class: Exit\r\n\r\n"),
        ("Exit.class", exit_class()),
    ):
        jar.writestr(zipfile.ZipInfo(file), content)  # a ZipInfo of its own has a fixed date
