"""Forms of Office files that the libraries refuse, as those that they read.

Strict Open XML (ISO/IEC 29500, Strict) differs from Transitional in the names of namespaces and
relations: they begin with "http://purl.oclc.org/ooxml/", and those of Transitional have a year in
them. Documents with macros, templates and slide shows differ from others in the type of their main
part alone; macros are parts of their own, which nobody runs.
"""

from __future__ import annotations

import zipfile
from io import BytesIO

import regex

from index.formats.zip_container import read_part

_STRICT = b"http://purl.oclc.org/ooxml/"
_NAMESPACE = regex.compile(_STRICT + rb"([A-Za-z]+)/")
_RELATIONS = "_rels/.rels"
_TYPES = "[Content_Types].xml"
_MAIN_TYPE = regex.compile(
    rb"application/(?:"
    rb"vnd\.ms-word\.(?:document|template)\.macroEnabled(?:Template)?(?P<word>)"
    rb"|vnd\.openxmlformats-officedocument\.wordprocessingml\.template(?P<word>)"
    rb"|vnd\.ms-powerpoint\.(?:presentation|template|slideshow)\.macroEnabled(?P<slides>)"
    rb"|vnd\.openxmlformats-officedocument\.presentationml\.(?:template|slideshow)(?P<slides>)"
    rb")\.main\+xml"
)


def as_usual(data: bytes, archive: zipfile.ZipFile, kind: str) -> bytes:
    """Return the bytes of a Word or PowerPoint file in the form that the libraries read.

    `archive` is the checked container of `data`, which is returned as it is if it has that form.
    Raises LoadingError.
    """
    names = set(archive.namelist())
    if not {_RELATIONS, _TYPES} <= names:
        return data
    is_strict = _STRICT in read_part(archive, _RELATIONS, kind)
    if not is_strict and not _MAIN_TYPE.search(read_part(archive, _TYPES, kind)):
        return data
    rewritten = BytesIO()
    with zipfile.ZipFile(rewritten, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as copy:
        for entry in archive.infolist():
            part = read_part(archive, entry.filename, kind)
            if entry.filename == _TYPES:
                part = _MAIN_TYPE.sub(_usual_type, part)
            if is_strict and entry.filename.endswith((".xml", ".rels")):
                part = _NAMESPACE.sub(rb"http://schemas.openxmlformats.org/\1/2006/", part)
            copy.writestr(entry.filename, part)
    return rewritten.getvalue()


def _usual_type(match: regex.Match[bytes]) -> bytes:
    markup = b"wordprocessingml.document"
    if match["slides"] is not None:
        markup = b"presentationml.presentation"
    return b"application/vnd.openxmlformats-officedocument." + markup + b".main+xml"
