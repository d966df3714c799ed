"""Single compressed streams: gzip, bzip2, xz and, where its library is there, Zstandard."""

from __future__ import annotations

import bz2
import gzip
import lzma
import sys
import zlib
from importlib import import_module
from typing import IO, Any, cast

from hygiene.detect.containers.budget import Metered

_MEMORY = 256 << 20  # bytes that a stream's dictionary may take
HINT = "install it with: pip install 'secret-hygiene[archive]'"


class MissingLibrary(Exception):
    """What would read this is not installed; the message names it."""


def gunzip(stream: Metered) -> IO[bytes]:
    """Give what the gzip ``stream`` holds."""
    return cast(IO[bytes], gzip.GzipFile(fileobj=cast(IO[bytes], stream)))


def bunzip2(stream: Metered) -> IO[bytes]:
    """Give what the bzip2 ``stream`` holds."""
    return cast(IO[bytes], bz2.BZ2File(cast(IO[bytes], stream)))


def unxz(stream: Metered) -> IO[bytes]:
    """Give what the xz or LZMA ``stream`` holds; one that wants too large a dictionary is an error."""
    return cast(IO[bytes], _Xz(stream))


def unzstd(stream: Metered) -> IO[bytes]:
    """Give what the Zstandard ``stream`` holds. Raises MissingLibrary."""
    try:
        library: Any = import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")
    except ImportError:
        raise MissingLibrary(f"Zstandard needs the library backports.zstd; {HINT}") from None
    most = {library.DecompressionParameter.window_log_max: _MEMORY.bit_length() - 1}
    return cast(IO[bytes], _Zstd(library.ZstdFile(stream, options=most), library.ZstdError))


class _Zstd:
    """A Zstandard file whose errors are those of the other formats."""

    def __init__(self, file: IO[bytes], error: type[Exception]) -> None:
        self._file = file
        self._error = error

    def read(self, count: int) -> bytes:
        try:
            return self._file.read(count)
        except self._error as error:
            raise OSError(str(error)) from error


class _Xz:
    """One xz stream after another."""

    def __init__(self, stream: Metered) -> None:
        self._stream = stream
        self._decompressor = lzma.LZMADecompressor(memlimit=_MEMORY)

    def read(self, count: int) -> bytes:
        while True:
            if self._decompressor.eof:
                rest = self._decompressor.unused_data.lstrip(b"\0") or self._stream.read(1 << 16).lstrip(b"\0")
                if not rest:
                    return b""
                self._decompressor = lzma.LZMADecompressor(memlimit=_MEMORY)
            else:
                rest = self._stream.read(1 << 16) if self._decompressor.needs_input else b""
                if not rest and self._decompressor.needs_input:
                    raise EOFError("the xz stream ends too early")
            data = self._decompressor.decompress(rest, count)
            if data:
                return data


ERRORS = (OSError, EOFError, zlib.error, lzma.LZMAError, ValueError, MemoryError, RuntimeError)
