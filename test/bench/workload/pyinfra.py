from io import StringIO

from pyinfra.context import host
from pyinfra.operations import files

root = host.data.ten_directory
owned = {"user": host.data.ten_owner, "group": "nogroup"}

for name in ("etc", "etc/conf.d", "data"):
    files.directory(path=f"{root}/{name}", mode="755", **owned)
for name in ("one", "two", "three", "four"):
    files.put(src=StringIO(f"name = {name}\n"), dest=f"{root}/etc/conf.d/{name}.conf", mode="644", **owned)
files.line(path=f"{root}/etc/main.conf", line="listen = 127.0.0.1")
files.line(path=f"{root}/etc/main.conf", line="workers = 4")
files.file(path=f"{root}/etc/old.conf", present=False)
