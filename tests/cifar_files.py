"""Small CIFAR archives: parts as different versions of Python and NumPy pickle them, in a gzipped tar file."""

import io
import struct
import tarfile


def by_python_2(x, labels, key="labels", protocol=2):
    """The bytes that cPickle of Python 2 writes for {"data": x, key: labels}; as the published archives have them."""
    m, n = x.shape
    if protocol == 0:
        numbers = "".join(f"I{k}\na" for k in labels)
        array = (
            b"cnumpy.core.multiarray\n_reconstruct\np3\n(cnumpy\nndarray\np4\n(I0\ntS'b'\ntRp5\n"
            b"(I1\n(I%d\nI%d\ntcnumpy\ndtype\np6\n(S'u1'\nI0\nI1\ntRp7\n(I3\nS'|'\nNNNI-1\nI-1\nI0\ntbI00\nS" % (m, n)
        )
        data = b"(dp1\nS'data'\np2\n" + array + quoted(x.tobytes()) + b"\ntbs"
        return data + b"S" + quoted(key.encode()) + b"\np8\n(lp9\n" + numbers.encode() + b"s."
    array = b"cnumpy.core.multiarray\n_reconstruct\nq\x04cnumpy\nndarray\nq\x05K\x00\x85U\x01b\x87Rq\x06(K\x01"
    shape = b"J" + struct.pack("<i", m) + b"M" + struct.pack("<H", n) + b"\x86"
    dtype = b"cnumpy\ndtype\nq\x07U\x02u1K\x00K\x01\x87Rq\x08(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    content = b"\x89T" + struct.pack("<i", m * n) + x.tobytes() + b"tb"
    numbers = b"]q\x09(" + b"".join(b"K" + bytes([k]) for k in labels) + b"e"
    data = b"\x80\x02}q\x01(U\x04dataq\x02" + array + shape + dtype + content
    return data + b"U" + bytes([len(key)]) + key.encode() + numbers + b"u."


def quoted(content):
    """repr of Python 2's text."""
    return repr(content)[1:].encode()


def archive(parts, folder="cifar-10-batches-py"):
    """The bytes of a .tar.gz file that holds these parts: name -> content."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as tar:
        for name, content in parts.items():
            member = content if isinstance(content, tarfile.TarInfo) else tarfile.TarInfo(f"{folder}/{name}")
            if isinstance(content, bytes):
                member.size = len(content)
            tar.addfile(member, io.BytesIO(content) if isinstance(content, bytes) else None)
    return file.getvalue()
