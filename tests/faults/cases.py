"""The list of what must be survived, by name. A test says which of them it tries: ``@pytest.mark.case("N01")``.

``python -m pytest --case N01`` runs one, slow tests too. A run of all tests prints the table of all cases, which says
of what it left out that it is slow; where files, tests or cases are named, it has the cases that ran.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

CASES = {
    # The network.
    "N01": "connection refused, then the server comes",
    "N02": "reset while the body is sent",
    "N03": "reset while the answer is read",
    "N04": "connecting goes nowhere",
    "N05": "accepted, never answered",
    "N06": "slow, but in time",
    "N07": "the name cannot be resolved, then it can",
    "N08": "the first of two addresses is dead",
    "N09": "TLS: unknown CA, wrong host, expired, no TLS, stalled handshake",
    "N10": "a proxy that works, refuses (407), is down, or is not for this host",
    "N11": "500, 502, 503, 504 with HTML",
    "N12": "429 with any Retry-After",
    "N13": "400, 401, 403, 404, 413",
    "N14": "an answer that is no JSON object",
    "N15": "an endless answer, a gzip bomb",
    "N16": "the right JSON under another content type",
    "N17": "redirects",
    "N18": "kept-alive connections that the server has closed",
    "N19": "odd HTTP",
    "N20": "the network is down for a while",
    "N21": "every second connection is lost",
    "N22": "no file descriptor is left",
    # WeCom's answers.
    "W01": "42001 between two alerts",
    "W02": "40014 between two alerts, and again and again",
    "W03": "a wrong secret or corp id",
    "W04": "gettoken with odd lives and odd tokens",
    "W05": "45009 for an app",
    "W06": "45009 for a bot",
    "W07": "45033, too many at once",
    "W08": "-1, busy",
    "W09": "60020, the address is not trusted",
    "W10": "81013, nobody is valid",
    "W11": "errcode 0 with some recipients invalid",
    "W12": "40058 and 45002, too long",
    "W13": "other errcodes, unknown ones, and values that are none",
    "W14": "an errmsg that echoes secrets",
    "W15": "two apps in one process",
    "W16": "bodies of tries that are repeated",
    # The process and the runtime.
    "P01": "fork before the first record",
    "P02": "fork while alerts wait",
    "P03": "grandchildren",
    "P04": "subprocess, Popen(preexec_fn) and posix_spawn while logging",
    "P05": "gunicorn --preload: sync, gthread, gevent",
    "P06": "gunicorn without preload",
    "P07": "gunicorn: TERM, QUIT, a worker's timeout, max_requests",
    "P08": "uWSGI with threads or without, lazy or not, with fork hooks or not, and reloaded",
    "P09": "multiprocessing: fork, spawn, forkserver",
    "P10": "exit with alerts that wait, the server is well",
    "P11": "exit while the server is down",
    "P12": "exit while the server stalls",
    "P13": "SIGTERM as it is, and polite",
    "P14": "SIGTERM with a handler that exits",
    "P15": "Ctrl-C, once and twice, while the exit waits",
    "P16": "kill -9 at any moment, with a durable state",
    "P17": "os._exit straight after the record",
    "P18": "excepthooks of the program",
    "P19": "atexit functions that log, registered early and late",
    "P20": "daemon threads and finalisers that log while the interpreter ends",
    "P21": "close twice, log after close, flush after close, close in the worker",
    "P22": "no thread can be started, then one can",
    "P23": "gevent, patched before and after",
    "P24": "asyncio: the loop does not lag",
    "P26": "no GIL, or threads that switch all the time",
    "P27": "no memory",
    "P28": "stopped and continued",
    "P29": "rights dropped and the working directory removed",
    "P30": "-X dev -W error, -I, -O",
    "P31": "stderr closed, None, full or broken",
    "P32": "200 forks in the first 300 ms, and 200 under load",
    "P33": "dictConfig a thousand times under load",
    # Recursion and hostile objects.
    "E01": "the root at DEBUG, the server well, down or stalled",
    "E02": "two handlers that both fail",
    "E03": "formatters and filters that raise, return odd things, or replace the record",
    "E04": "__str__ that raises anything",
    "E05": "__str__ that logs",
    "E06": "__str__ that takes long",
    "E07": "__str__ that returns 100 MB, no str, or a hostile one",
    "E08": "arguments that change after the call",
    "E09": "warnings and asyncio's debug records of the worker",
    "E10": "raiseExceptions, logging.disable, levels that change",
    "E11": "the program's own urllib3 records while the worker sends",
    "E12": "signal handlers, finalisers and weakref callbacks that log inside our code",
    # Content.
    "C01": "control characters",
    "C02": "lone surrogates",
    "C03": "bidi, invisible and combining characters",
    "C04": "wide characters at every byte around the limit",
    "C05": "10 MB, one line of 1 MB, 1 MB of newlines",
    "C06": "tracebacks of 100 000 lines or 1 000 frames",
    "C07": "exception groups, deep and wide",
    "C08": "causes: 10 000, and in a circle",
    "C09": "hostile notes, names and exc_info",
    "C10": "messages that are no str",
    "C11": "arguments that do not fit",
    "C12": "bytes as arguments",
    "C13": "odd extras",
    "C14": "mentions in a text",
    "C15": "markdown and HTML in a text",
    "C16": "lines that look like our fields",
    "C17": "the program's secrets, and innocent sentences",
    "C18": "local variables, and source lines with secrets",
    "C19": "names of loggers, threads, files and hosts",
    "C20": "levels of any number and name",
    "C21": "nothing is left of the text",
    "C22": "the worst texts for masking",
    "C23": "our own secrets, everywhere",
    # The durable state's file.
    "S01": "the disk is full, then there is room",
    "S02": "fdatasync fails with EIO",
    "S03": "pwrite fails with ENOSPC at the n-th call",
    "S04": "a directory without the right to write",
    "S05": "remounted read-only in the middle",
    "S06": "no parent, a directory, too long a path, RLIMIT_FSIZE",
    "S07": "a link, a FIFO, a foreign file, another's file at the path",
    "S08": "file modes under any umask",
    "S09": "locked by another process",
    "S10": "a start with 100 000 that wait",
    "S11": "rows and lines that are broken",
    "S12": "a newer or older schema, another program's database",
    "S13": "growth, and space after a drain",
    "S14": "odd file systems",
    "S15": "no secret in any file",
    # The fleet: Redis or Valkey.
    "F01": "Redis is down, then it comes",
    "F02": "Redis is killed and comes back empty",
    "F03": "Redis is slow, or stalls",
    "F04": "every tenth command is reset",
    "F05": "keys are evicted, or all are flushed",
    "F06": "Redis becomes a replica, then a primary again",
    "F07": "LOADING, BUSY, MISCONF, OOM",
    "F08": "keys of another type, junk, 50 MB, of another version",
    "F09": "NOAUTH, WRONGPASS, NOPERM",
    "F10": "the port is no Redis",
    "F11": "clocks of hosts that differ by 2 h",
    "F12": "whoever holds the token's lock is killed, or is late",
    "F13": "Redis comes back to fifty that wait",
    "F14": "what Redis can see of secrets",
    "F15": "fork with a live connection",
    # Load.
    "L01": "1 000 000 equal errors",
    "L02": "10 000 fingerprints a second",
    "L03": "64 threads",
    "L04": "200 alerts of 5 MB, a slow server",
    "L05": "one CRITICAL in a storm",
    "L06": "5 000 000 records below the level",
    "L07": "a soak under random faults",
    "L08": "a server slower than the program, for an hour",
    # The sandbox.
    "X01": "paths that lead out of the sandbox",
    "X02": "bodies and headers of any size",
    "X03": "1 000 idle connections, slow requests",
    "X04": "where the sandbox listens",
    "X05": "a foreign Host, absolute addresses, CONNECT",
    "X06": "pages of other sites",
    "X07": "messages that try to act in the page",
    "X08": "the sandbox as strict as WeCom",
    "X09": "100 000 messages in the sandbox",
}

NOT_TRIED: dict[str, str] = {
    "N15": "a bomb of 50 MiB, not of 10 GiB: nothing is ever unpacked",
    "N20": "where no network namespace may be made (unshare); so are parts of N07, N08 and N10",
    "C18": "a literal without a name beside it in a source line, as in connect('…'), looks like any other text",
    "P09": "what Pool.terminate loses, also at the end of `with Pool`: it is SIGTERM as it is",
    "P16": "ten moments here; for an hour: python -m tools.kills",
    "P26": "without the GIL: no such build is packaged",
    "S14": "no NFS or 9p at hand; all that is asked of a file system are POSIX locks and flock: no shared memory",
    "F13": "fifty states in one process, each with connections of its own, not fifty processes",
    "L02": "for seconds, not for a minute",
    "L06": "300 000 of them; what one costs is measured by tools/benchmarks",
    "L07": "for seconds here; for as long as wanted: python -m tools.soak --minutes 30",
    "L08": "for seconds here; for as long as wanted: python -m tools.soak --slow --minutes 60",
}
"""Why a case, or a part of one, is not among the tests."""


class Result(enum.Enum):
    """What became of a case in a run."""

    PASSED = "passed"
    FAILED = "FAILED"
    SLOW = "not run here (slow)"
    QUICK = "not run here (quick)"
    NOT_RUN = "not run"


def table(
    results: Mapping[str, Sequence[bool]], names: Iterable[str], left_out: Iterable[tuple[str, bool]] = ()
) -> list[str]:
    """A line for each case: whether all its tests passed, how many they are, and how many slow ones did not run here.

    ``left_out`` has each case of each test that was not chosen, and whether that test is slow.
    """
    left_out = list(left_out)
    slow, quick = (Counter(name for name, is_slow in left_out if is_slow is kind) for kind in (True, False))
    lines = []
    for name in names:
        outcomes = results.get(name, [])
        if outcomes:
            result = Result.PASSED if all(outcomes) else Result.FAILED
        else:
            kinds = (bool(slow[name]), bool(quick[name]))
            result = {(True, False): Result.SLOW, (False, True): Result.QUICK}.get(kinds, Result.NOT_RUN)
        count = f"{sum(outcomes)}/{len(outcomes)}" if outcomes else ""
        notes = [f"and {slow[name]} slow, not run here"] if outcomes and slow[name] else []
        notes += [f"not tried: {NOT_TRIED[name]}"] if name in NOT_TRIED else []
        told = f" ({'; '.join(notes)})" if notes else ""
        lines.append(f"{name}  {result.value:<20} {count:>9}  {CASES[name]}{told}")
    return lines
