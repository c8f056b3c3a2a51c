"""With a wheel or an sdist installed and no extras: all modules and files are there, and an alert reaches a server."""

import http.server
import importlib
import importlib.metadata
import importlib.resources
import importlib.util
import json
import logging
import pkgutil
import threading

import wecom_logging

NEED_MORE = (
    "wecom_logging._sandbox",
    *(f"wecom_logging.integrations.{name}" for name in ("airflow", "django", "dramatiq", "gunicorn", "rq")),
)

names = [
    module.name for module in pkgutil.walk_packages(wecom_logging.__path__, "wecom_logging.", onerror=lambda _: None)
]
for name in names:
    if not name.startswith(NEED_MORE) and not name.endswith("__main__"):
        importlib.import_module(name)
assert importlib.util.find_spec("werkzeug") is None, "this checks an installation without extras"

package = importlib.resources.files("wecom_logging")
static = package.joinpath("_sandbox", "page", "static")
assert {"index.html", "main.js", "style.css"} <= {file.name for file in static.iterdir()}, "the sandbox's page"
assert any(file.name.endswith(".lua") for file in package.joinpath("_state", "lua").iterdir()), "the scripts for Redis"
assert package.joinpath("_wecom", "errcodes.toml").is_file(), "the table of errcodes"
assert package.joinpath("_masking", "tokens.tsv").is_file(), "the table of tokens"
assert package.joinpath("py.typed").is_file()
assert wecom_logging.__version__ == importlib.metadata.version("wecom-logging")

received = []


class WeCom(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"errcode": 0, "errmsg": "ok"}')

    def log_message(self, *_: object) -> None:
        pass


with http.server.ThreadingHTTPServer(("127.0.0.1", 0), WeCom) as server:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    handler = wecom_logging.WeComBotHandler(webhook="key", api_base=f"http://127.0.0.1:{server.server_port}")
    logging.getLogger("wheel").addHandler(handler)
    logging.getLogger("wheel").error("from the wheel")
    assert handler.flush(10)
    assert handler.stats().delivered == 1
    server.shutdown()
assert "from the wheel" in received[0]["markdown"]["content"]
print(f"{len(names)} modules, 1 alert delivered")
