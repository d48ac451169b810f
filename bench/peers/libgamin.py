"""C programs linked with libfam, before the original server and before ours."""

import os

from bench.peers.base import PROGRAMS, Compiled


class Original(Compiled):
    name = "original"
    about = "gam_server 0.1.10 and libgamin, a request per directory (`bench/c/fam.c`)"
    source = "fam"
    has_server = True
    places: tuple[str, ...] = ("/usr/libexec/gam_server", "/usr/lib/gamin/gam_server")

    def missing(self) -> str:
        if not any(map(os.path.exists, self.places)):
            return "not installed"
        return super().missing()

    def environment(self) -> dict[str, str]:
        server = next(filter(os.path.exists, self.places))
        return {"GAMIN_DEBUG_SERVER": server}


class Ours(Original):
    name = "gamin-libgamin"
    about = "the same C program and libgamin before our gam_server"
    places = (str(PROGRAMS / "gam_server"),)
