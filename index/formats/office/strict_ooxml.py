"""Strict Open XML (ISO/IEC 29500, Strict) as Transitional, which the libraries read.

The two forms differ in the names of namespaces and relations: those of Strict begin with
"http://purl.oclc.org/ooxml/", and those of Transitional have a year in them.
"""

from __future__ import annotations

import zipfile
from io import BytesIO

import regex

from index.formats.zip_container import read_part

_STRICT = b"http://purl.oclc.org/ooxml/"
_NAMESPACE = regex.compile(_STRICT + rb"([A-Za-z]+)/")
_RELATIONS = "_rels/.rels"


def as_transitional(data: bytes, archive: zipfile.ZipFile, kind: str) -> bytes:
    """Return the bytes of an Office file with the names of Transitional.

    `archive` is the checked container of `data`, which is returned as it is unless it is Strict.
    Raises LoadingError.
    """
    if _RELATIONS not in archive.namelist():
        return data
    if _STRICT not in read_part(archive, _RELATIONS, kind):
        return data
    rewritten = BytesIO()
    with zipfile.ZipFile(rewritten, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as copy:
        for entry in archive.infolist():
            part = read_part(archive, entry.filename, kind)
            if entry.filename.endswith((".xml", ".rels")):
                part = _NAMESPACE.sub(rb"http://schemas.openxmlformats.org/\1/2006/", part)
            copy.writestr(entry.filename, part)
    return rewritten.getvalue()
