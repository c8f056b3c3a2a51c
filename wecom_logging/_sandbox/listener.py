"""HTTP/1.1 on a socket, with TLS where that is asked for. werkzeug's own handler closes the connection after each
answer; this one keeps it.
"""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import math
import os
import re
import socket
import ssl
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from email.utils import formatdate
from typing import IO, TYPE_CHECKING, Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.wrappers import Response

from .strangers import LOCAL_NAMES, WECOMS_NAMES
from .web import Dropped

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment
    from cryptography import x509

MAX_BODY = 25 * 1024 * 1024
IN_MEMORY = 64 * 1024
"""Of each body that comes; what is longer waits in a temporary file."""
MAX_LEFTOVER = 64 * 1024 * 1024
MAX_CHUNK_LINE = 256
CHUNK_SIZE = re.compile(rb"([0-9a-fA-F]{1,16})[ \t]*(;[^\r\n]*)?\r\n")
IDLE_S = 30
MAX_CONNECTIONS = 1024
BACKLOG = 1024
CLOSE_S = 2
DAY = datetime.timedelta(days=1)
CERTIFIED = datetime.timedelta(days=90)
ANSWER_S = 120
"""In which an answer is read as a whole; of a stream each piece within ``PIECE_S``."""
PIECE_S = 10


class _Unreadable(Exception):
    """A request whose body is not read: its HTTP status."""

    def __init__(self, status: int) -> None:
        self.status = status


class _Handler(WSGIRequestHandler):
    server: Listener
    protocol_version = "HTTP/1.1"
    timeout = IDLE_S
    # Headers and body are two writes: with Nagle's algorithm the second waits 40 ms for the client's delayed ACK.
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        if isinstance(self.connection, ssl.SSLSocket):
            self.connection.do_handshake()  # here, as a client may take its time

    def handle_one_request(self) -> None:
        self.server.expect(self.connection, self.server.idle_s)
        super().handle_one_request()

    def run_wsgi(self) -> None:
        """Reads the whole body before anything else, so that the next request begins where this one ends."""
        with tempfile.SpooledTemporaryFile(IN_MEMORY) as body:
            self._answer(body)

    def _answer(self, body: IO[bytes]) -> None:
        try:
            environ = self._read(body)
            self.server.expect(self.connection)
            response = Response.from_app(self.server.app, environ)
        except _Unreadable as error:
            self._send(Response(status=error.status), close=True)
            self._drain()
        except Dropped:
            self.close_connection = True
        else:
            with contextlib.closing(response):
                if response.mimetype == "text/event-stream":
                    self._stream(response)
                else:
                    self.server.expect(self.connection, ANSWER_S)
                    self._send(response)

    def _read(self, body: IO[bytes]) -> WSGIEnvironment:
        try:
            environ = self.make_environ()
            length = int(environ.get("CONTENT_LENGTH") or 0)
            if length < 0 or len(self.headers.get_all("Content-Length", ())) > 1:
                raise ValueError("no length, or two")
        except ValueError:
            raise _Unreadable(400) from None
        if environ.pop("wsgi.input_terminated", False):
            self._read_chunks(body)
        elif length > MAX_BODY:
            raise _Unreadable(413)
        elif not self._copy(length, body):
            raise ConnectionAbortedError
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        length = body.tell()
        body.seek(0)
        return {**environ, "wsgi.input": body, "CONTENT_LENGTH": str(length)}

    def _copy(self, length: int, body: IO[bytes]) -> bool:
        """False where the client ends before so many bytes."""
        while length > 0 and (piece := self.rfile.read(min(length, IN_MEMORY))):
            body.write(piece)
            length -= len(piece)
        return length == 0

    def _read_chunks(self, body: IO[bytes]) -> None:
        """The chunks of a body (RFC 9112, 7.1).

        werkzeug's own reader of chunks says of one that ends early that it came whole, and memory behind it is read.
        """
        self.close_connection = True  # whatever stands behind the last chunk is not looked for
        while True:
            found = CHUNK_SIZE.fullmatch(self.rfile.readline(MAX_CHUNK_LINE))
            if found is None:
                raise _Unreadable(400)
            if not (size := int(found[1], 16)):
                return
            if body.tell() + size > MAX_BODY:
                raise _Unreadable(413)
            if not self._copy(size, body) or self.rfile.read(2) != b"\r\n":
                raise _Unreadable(400)

    def _send(self, response: Response, *, close: bool = False) -> None:
        if response.content_length is None:
            response.content_length = len(response.get_data())
        self._send_head(response, close=close or self.close_connection)
        if self.command != "HEAD":
            for piece in response.response:
                self._write(piece)

    def _stream(self, response: Response) -> None:
        """Piece by piece, until the application ends or the client goes."""
        self.close_connection = True
        self._send_head(response, close=True)
        for piece in response.response:
            self.server.expect(self.connection, PIECE_S)
            self._write(piece)
            self.server.expect(self.connection)

    def _write(self, piece: str | bytes) -> None:
        self.wfile.write(piece if isinstance(piece, bytes) else piece.encode())

    def _send_head(self, response: Response, *, close: bool) -> None:
        self.send_response(response.status_code)
        for name, value in response.headers:
            self.send_header(name, value)
        if close:
            self.send_header("Connection", "close")
        self.end_headers()

    def _drain(self) -> None:
        """Takes what the client still sends, a moment long: to close at once would reset the connection unread."""
        self.connection.settimeout(1)
        self.connection.shutdown(socket.SHUT_WR)
        left = MAX_LEFTOVER
        while left > 0 and (piece := self.rfile.read1(1024 * 1024)):
            left -= len(piece)

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The Date header, by the sandbox's clock: clients may compare theirs with it."""
        return formatdate(self.server.clock() if timestamp is None else timestamp, usegmt=True)

    def log(self, type: str, message: str, *args: Any) -> None:
        """Says nothing: what came in stands in the journal."""


class Listener(ThreadedWSGIServer):
    """Binds at once; OSError where the port is taken.

    A request must come whole within ``idle_s``. Of too many connections, the one that is waited for longest goes.
    """

    def __init__(
        self,
        host: str,
        port: int,
        app: WSGIApplication,
        clock: Callable[[], float],
        idle_s: float,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.clock = clock
        self.idle_s = idle_s
        self._most = _most_connections()
        self._open: dict[socket.socket, float] = {}  # until when its client must send, or read
        self._changed = threading.Condition()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.request_queue_size = BACKLOG
        # werkzeug ends the process where it cannot bind, so it is handed a bound socket.
        with socket.create_server((host, port), family=family, backlog=BACKLOG) as bound:
            super().__init__(host, bound.getsockname()[1], app, _Handler, fd=bound.fileno())
        self.ssl_context = tls  # set late, so that each connection makes its handshake in its own thread

    def get_request(self) -> tuple[Any, Any]:
        connection, address = super().get_request()
        if self.ssl_context is not None:
            tls = self.ssl_context
            connection = tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, address

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._changed:
            if len(self._open) >= self._most:
                self._end(min(self._open, key=self._open.__getitem__))
            self._open[request] = time.monotonic() + self.idle_s
        super().process_request(request, client_address)

    def service_actions(self) -> None:
        """Ends what has been waited for too long, a byte now and then or none at all."""
        super().service_actions()
        now = time.monotonic()
        with self._changed:
            for connection in [connection for connection, until in self._open.items() if until < now]:
                self._end(connection)

    def _end(self, connection: socket.socket) -> None:
        """Its thread lets go of it in a moment; until then it is not looked at again."""
        self._open[connection] = math.inf
        _close(connection)

    def expect(self, connection: socket.socket, seconds: float = math.inf) -> None:
        """The client has so long to send its next request, or to read its answer; as long as it likes where the request
        is here, and its answer may take long."""
        with self._changed:
            self._open[connection] = time.monotonic() + seconds

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        with self._changed:
            self._open.pop(request, None)
            self._changed.notify_all()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no error of ours."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def close_connections(self) -> None:
        """Ends what is kept alive, and waits until its threads let go."""
        with self._changed:
            for connection in self._open:
                _close(connection)
            self._changed.wait_for(lambda: not self._open, CLOSE_S)


def _most_connections() -> int:
    """Half of the files that the process may have: WebSockets, uploads and the program itself take some, too."""
    try:
        import resource
    except ModuleNotFoundError:  # on Windows a socket is no file
        return MAX_CONNECTIONS
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MAX_CONNECTIONS if files == resource.RLIM_INFINITY else min(MAX_CONNECTIONS, files // 2)


def _close(connection: socket.socket) -> None:
    try:
        socket.socket.shutdown(connection, socket.SHUT_RDWR)  # that of TLS would pull it from under its thread
    except OSError:
        pass  # the client was faster


def make_tls(host: str, ca_file: str) -> ssl.SSLContext:
    """With a certificate for this machine's and WeCom's names, made now; whom to trust is written to ``ca_file``.

    Its key and that of its CA are nowhere else, so that each start has another.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    now = datetime.datetime.now(datetime.UTC)
    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca_name, own_name = (
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"wecom-logging sandbox{more}")]) for more in (" CA", "")
    )
    names = {*LOCAL_NAMES, *WECOMS_NAMES, socket.gethostname(), "host.docker.internal", host}

    def signed(
        subject: x509.Name, public: ec.EllipticCurvePublicKey, is_ca: bool, *more: x509.ExtensionType
    ) -> x509.Certificate:
        builder = x509.CertificateBuilder(
            ca_name, subject, public, x509.random_serial_number(), now - DAY, now + CERTIFIED
        )
        signs = x509.KeyUsage(not is_ca, False, False, False, False, is_ca, is_ca, False, False)
        needed = (x509.BasicConstraints(ca=is_ca, path_length=None), signs)
        for extension in (*needed, *more):
            builder = builder.add_extension(extension, critical=extension in needed)
        return builder.sign(ca_key, hashes.SHA256())

    known_by = x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key())
    issuer = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(known_by)
    served = x509.SubjectAlternativeName([_as_name(name.strip("[]")) for name in sorted(names)])
    for_servers = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    ca = signed(ca_name, ca_key.public_key(), True, known_by)
    certificate = signed(own_name, key.public_key(), False, issuer, served, for_servers)
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:  # readable by its user alone
        chain = os.path.join(folder, "sandbox.pem")
        with open(chain, "wb") as file:
            file.write(private + certificate.public_bytes(pem))
        context.load_cert_chain(chain)
    with open(ca_file, "wb") as file:
        file.write(ca.public_bytes(pem))
    return context


def _as_name(name: str) -> x509.GeneralName:
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
