"""oneclient: one person, one client record.

The flow, left to right, is a folder a stage: ``ingest`` (files to raw), ``stage`` (raw to the register), ``match``
(who may be whom), ``review`` (what people see and hand back); ``decisions`` is what they said. Imports run downwards
only.
"""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("oneclient")
except PackageNotFoundError:
    __version__ = "0+unpackaged"
