"""Conversion by LibreOffice's library, as a program of its own.

    python -m index.formats.libreoffice_kit LIBRARY SOURCE TARGET FORMAT

The program `soffice` opens a socket before it does anything, which the fence around the parser
refuses (`index.parsing.fence`); its library does not. It ends this process where a file is made to
crash it, and no other. Source: include/LibreOfficeKit/LibreOfficeKit.h of LibreOffice, whose
structures only grow at their end.
"""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

_Destroy = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
_Load = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p)
_SaveAs = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p
)


class _OfficeClass(ctypes.Structure):
    _fields_ = (("size", ctypes.c_size_t), ("destroy", _Destroy), ("load", _Load))


class _Office(ctypes.Structure):
    _fields_ = (("methods", ctypes.POINTER(_OfficeClass)),)


class _DocumentClass(ctypes.Structure):
    _fields_ = (("size", ctypes.c_size_t), ("destroy", _Destroy), ("save_as", _SaveAs))


class _Document(ctypes.Structure):
    _fields_ = (("methods", ctypes.POINTER(_DocumentClass)),)


def convert(library: Path, source: Path, target: Path, file_format: str) -> bool:
    """Write a file in another format; False if LibreOffice cannot read or write it.

    Its profile is made beside the target.
    """
    start = ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL).libreofficekit_hook_2
    start.restype = ctypes.c_void_p
    start.argtypes = (ctypes.c_char_p, ctypes.c_char_p)
    profile = target.parent / "profile"
    office = start(os.fsencode(library.parent), profile.as_uri().encode())
    if not office:
        return False
    methods = ctypes.cast(office, ctypes.POINTER(_Office)).contents.methods.contents
    document = methods.load(office, source.as_uri().encode())
    if not document:
        return False
    saving = ctypes.cast(document, ctypes.POINTER(_Document)).contents.methods.contents
    return bool(saving.save_as(document, target.as_uri().encode(), file_format.encode(), b""))


def main() -> None:
    """Convert the file that the arguments name; the exit code is 1 if that fails."""
    library, source, target, file_format = sys.argv[1:]
    os.environ["SAL_USE_VCLPLUGIN"] = "svp"  # draw on no screen
    done = convert(Path(library), Path(source), Path(target), file_format)
    # LibreOffice's own threads would keep the process from ending.
    os._exit(0 if done else 1)


if __name__ == "__main__":
    main()
