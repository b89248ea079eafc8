#!/usr/bin/env python3
"""check_includes.py ROOT [--self-test]: every #include goes in an allowed direction.

The table is the whole rule. A file belongs to the longest path that it begins with. What a quoted
include means is looked up as the compiler does: beside the file, then in the include directories.
"""

import pathlib
import re
import sys
import tempfile

# layer: layers that it may include, besides itself.
ALLOWED = {
    "sdk": [],
    "core/os": ["sdk"],
    "core/config": ["core/os", "sdk"],
    "core/project": ["core/os", "sdk"],
    "core/plugins": ["core/os", "sdk"],
    "core/flow": ["helpers/shared", "core/config", "core/project", "core/os", "sdk"],
    "core/cli": ["core/flow", "core/plugins", "core/config", "core/project", "core/os", "sdk"],
    "plugins/shared": ["sdk"],
    "plugins": ["plugins/shared", "sdk"],
    "helpers/shared": [],
    "helpers": ["helpers/shared", "plugins/shared", "sdk"],
}
# A library's header: the only places that may include it.
LIBRARIES = {
    "boost/dll": ["core/plugins/loader.cpp"],
    "tl/expected": ["sdk/include/alca/result.hpp"],
    "nlohmann/": ["sdk/include/alca/json.hpp"],
    "CLI/": ["core/cli"],
    "spdlog/": ["core/cli"],
    "toml++/": ["core/config"],
    "boost/": ["core", "plugins"],
    "fmt/": ["core", "plugins"],
    "archive_entry.h": ["helpers/shared/tree"],
}
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)
SOURCES = {".c", ".h", ".cpp", ".hpp"}


def is_under(path, place):
    return path == place or path.startswith(place + "/")


def layer_of(path):
    fitting = [layer for layer in ALLOWED if is_under(path, layer)]
    return max(fitting, key=len, default=None)


def unit_of(path, layer):
    """Two plugins, or two helpers, are strangers: each directory there is a layer of its own."""
    depth = layer.count("/") + (2 if layer in ("plugins", "helpers") else 1)
    return "/".join(path.split("/")[:depth])


def resolve(root, source, name):
    for place in (source.parent, root, root / "sdk/include"):
        target = (place / name).resolve()
        if target.is_file() and target.is_relative_to(root):
            return target.relative_to(root).as_posix()
    return None


def faults_of(root, source):
    path = source.relative_to(root).as_posix()
    layer = layer_of(path)
    for quoted, angled in INCLUDE.findall(source.read_text(encoding="utf-8")):
        name = quoted or angled
        library = next((start for start in LIBRARIES if name.startswith(start)), None)
        if library and not any(is_under(path, place) for place in LIBRARIES[library]):
            yield f"{path}: may not include <{name}>, only {' or '.join(LIBRARIES[library])} may"
        target = resolve(root, source, name)
        if target is None:
            continue
        if is_under(target, "tests"):
            yield f"{path}: may not include {name}, nothing includes tests"
            continue
        other = layer_of(target)
        if other == layer and unit_of(path, layer) == unit_of(target, layer):
            continue
        if other not in ALLOWED[layer]:
            yield f"{path}: {layer} may not include {other or target} ({name})"


def check(root):
    sources = [
        file
        for top in ("sdk/include", "sdk/templates", "core", "plugins", "helpers")
        for file in sorted((root / top).rglob("*"))
        if file.suffix in SOURCES
    ]
    faults = [fault for source in sources for fault in faults_of(root, source)]
    unknown = [str(s) for s in sources if layer_of(s.relative_to(root).as_posix()) is None]
    return len(sources), faults + [f"{name}: belongs to no layer" for name in unknown]


def self_test():
    """Each wrong direction is found, each right one is not."""
    wrong = {
        "core/flow/a.cpp": '#include "core/plugins/loader.hpp"',
        "core/plugins/b.cpp": "#include <core/config/config.hpp>",
        "core/plugins/e.cpp": "# include <boost/dll/shared_library.hpp>",
        "sdk/include/alca/c.hpp": '#include "core/os/fd.hpp"',
        "sdk/include/alca/f.hpp": "#include <fmt/format.h>",
        "plugins/one/d.cpp": '#include "plugins/two/two.hpp"',
        "core/os/g.cpp": '#include "../../tests/support/fake.hpp"',
    }
    right = {
        "core/plugins/loader.hpp": '#include "core/os/fd.hpp"',
        "core/config/config.hpp": '#include "alca/result.hpp"',
        "core/os/fd.hpp": "#include <vector>",
        "sdk/include/alca/result.hpp": "#include <tl/expected.hpp>",
        "plugins/two/two.hpp": '#include "plugins/shared/x/x.hpp"',
        "plugins/shared/x/x.hpp": "",
        "tests/support/fake.hpp": '#include "core/plugins/loader.hpp"',
    }
    with tempfile.TemporaryDirectory() as directory:
        root = pathlib.Path(directory).resolve()
        for name, text in {**wrong, **right}.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text + "\n", encoding="utf-8")
        faults = check(root)[1]
    found = {fault.split(":")[0] for fault in faults}
    if found != set(wrong):
        sys.exit(f"expected faults in {sorted(wrong)}, found {faults}")
    print(f"self-test: {len(wrong)} wrong directions found")


def main(arguments):
    if "--self-test" in arguments:
        self_test()
        return
    count, faults = check(pathlib.Path(arguments[0]).resolve())
    print("\n".join(faults + [f"{count} files checked, {len(faults)} faults"]))
    sys.exit(1 if faults or count == 0 else 0)


main(sys.argv[1:])
