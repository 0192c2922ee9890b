"""Errors that `qa` raises on purpose.

    QAError
    ├── InvalidQuestion     empty, too long, or not text
    ├── NoIndex             nothing has been indexed yet
    ├── NoSample            documents are indexed, or the sample is not installed
    ├── NotReady            the server is still loading
    ├── NotOfSharedStore    works on the embedded store alone
    ├── SameStore           documents cannot be copied to where they are
    ├── UnknownDocumentId   no document of that id
    ├── UnknownPage         no page of that number, or a format that has none to show
    ├── PageNotShown        a page that is damaged, too large or too slow to be drawn
    ├── SourceChanged       the file is not the version that was asked for any more
    ├── SourceGone          the file is no longer there
    ├── UnknownConversation no conversation or turn of that id, or another's
    ├── GapsOff             the setting says that gaps are not shown
    ├── UnknownQuestion     not one of the saved questions
    ├── UnknownJob          no job of that id
    ├── UnknownTag          no document has that tag
    ├── InvalidUpload       not the form that was expected
    ├── UploadTooLarge      more bytes or files than the limit
    ├── QuotaReached        uploads of more bytes than are to be stored
    ├── TooManyUploads      more uploaded files than may wait to be read
    ├── UnsupportedUpload   a file of no format that is read
    ├── NotUploaded         a document that was indexed from elsewhere
    ├── PartOfFile          a part of a file, which stays and goes with it
    ├── StorageFull         no room on the disk for files that were sent
    ├── NotSignedIn         no key, or one that is not valid
    ├── NotAllowed          a key that may not do that
    ├── TooManyQuestions    more questions a minute than a key may ask
    ├── Stopping            the server is about to end
    ├── QuestionCancelled   the client that asked has gone
    ├── TooBusy             more questions than can be answered in time
    ├── AccessError         a key that cannot be made or revoked
    ├── InvalidFeedback     a verdict or a place that cannot be kept
    ├── InvalidAnswer       JSON that is to be verified and is no answer, or a changed bundle
    ├── SettingsError       a setting that cannot be used
    ├── BackupError         a backup that cannot be written or restored
    ├── CalibrationError    a calibration that cannot be read or fitted
    └── EvaluationError     an evaluation file that cannot be used

Every message says what was expected, what came, and what to do.
"""

from __future__ import annotations


class QAError(Exception):
    """Base of every error that `qa` raises on purpose."""


class InvalidQuestion(QAError):
    """The question is empty, too long, or not text."""


class NoIndex(QAError):
    """Nothing has been indexed yet."""

    def __init__(
        self, message: str = "nothing is indexed yet: run `qa index PATH...` first"
    ) -> None:
        super().__init__(message)


class GapsOff(QAError):
    """The setting says that no gaps are shown."""

    def __init__(self) -> None:
        super().__init__("gaps are switched off: set QUOTED_GAPS to conversations or all")


class NoSample(QAError):
    """Documents are indexed by now, or the sample document is not installed."""


class NotReady(QAError):
    """The server is still loading its models or its index."""


class NotOfSharedStore(QAError):
    """A command that works on the embedded store alone, while QUOTED_STORE names a shared one."""


class SameStore(QAError):
    """Documents that are to be copied to the store that they are in."""


class UnknownDocumentId(QAError):
    """No document has that id."""


class UnknownPage(QAError):
    """The document has no page of that number, or its format has none to show."""


class PageNotShown(QAError):
    """A page cannot be drawn."""


class SourceChanged(QAError):
    """A document's file does not hold the version that was asked for."""


class SourceGone(QAError):
    """A document's file is no longer there, or cannot be read."""


class UnknownConversation(QAError):
    """No conversation or turn has that id, or it is another owner's."""


class UnknownQuestion(QAError):
    """No saved question reads like this."""


class UnknownJob(QAError):
    """No job has that id."""


class UnknownTag(QAError):
    """No document has that tag."""


class InvalidUpload(QAError):
    """The request is not the form that was expected, or broke off."""


class UploadTooLarge(QAError):
    """The request or a file has more bytes, or the request more files, than the limit."""


class QuotaReached(QAError):
    """The uploaded files of all or of one key would have more bytes than they may."""


class TooManyUploads(QAError):
    """More uploaded files wait to be read than may."""


class UnsupportedUpload(QAError):
    """The file is of no format that is read."""


class PartOfFile(QAError):
    """Document inside a file, as a mail in a mailbox, that cannot be changed alone."""


class NotUploaded(QAError):
    """The document was indexed from elsewhere: its file is not ours to replace."""


class StorageFull(QAError):
    """The disk has no room for what was sent."""


class NotSignedIn(QAError):
    """A request came without a key, or with one that is not valid."""


class NotAllowed(QAError):
    """A key may not do what was asked."""


class TooManyQuestions(QAError):
    """A key has asked more questions than it may; `seconds` is the time until the next one."""

    def __init__(self, rate: int, seconds: int) -> None:
        super().__init__(f"your key may ask {rate} questions a minute: try again in {seconds} s")
        self.seconds = seconds


class Stopping(QAError):
    """The server finishes what it has begun and takes nothing new."""

    def __init__(self) -> None:
        super().__init__("the server is stopping or restarting: try again in a few seconds")


class TooBusy(QAError):
    """More questions are waiting than can be answered in time."""

    def __init__(self) -> None:
        super().__init__("too many questions are waiting: try again in a few seconds")


class QuestionCancelled(QAError):
    """Nobody waits for the answer any more."""

    def __init__(self) -> None:
        super().__init__("the question was withdrawn before it was answered")


class AccessError(QAError):
    """A key cannot be made or revoked."""


class InvalidFeedback(QAError):
    """Feedback with a verdict or a place that cannot be kept."""


class InvalidAnswer(QAError):
    """The JSON to verify is not that of an answer, or a bundle has been changed."""


class SettingsError(QAError):
    """A setting has a value that cannot be used."""


class BackupError(QAError):
    """A backup cannot be written or restored."""


class CalibrationError(QAError):
    """A calibration cannot be read or fitted."""


class EvaluationError(QAError):
    """An evaluation file cannot be used."""
