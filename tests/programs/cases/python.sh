# python: CPython's own tests of its collector, threads, lists, dictionaries, processes, json, TLS, databases, foreign
# functions, streams, event loops, forked workers, sockets and signals.
#
# Compared are the number of tests, those that failed and the result: some fail without us too, for root or in a
# sandbox. GLEANER_OPTIONS is taken out of the environment once the library has read it, and nothing is traced:
# tests judge what the processes that they start write on stderr, and exchange descriptor 2 themselves. The quick
# ones are repeated. `malloc` runs four of them with each object from malloc, not from Python's arenas. The tests of
# databases are not in Debian's package of tests, and come from its source.

packages='python3 libpython3.11-testsuite dpkg-dev'
variants=(test_gc test_threading test_list test_dict test_subprocess test_json test_ssl test_sqlite3 test_ctypes test_io
    test_asyncio test_multiprocessing_fork test_socket test_signal malloc)
trace=no
zeal=(100 200 200 300 400 20000 100000 2000 500 2000 20000 2000 1000 200 40000)
short=test_json
deadline=900

# shellcheck source=../../common/sources.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../common/sources.sh"

prepare() {
    # Wanted by one case, but cheap once it was fetched.
    if wanted python test_sqlite3; then
        fetch_source "$here/../../target/sources" python3.11 'python3.11_*.orig.tar.gz'
        mkdir tests
        tar -xf "$here"/../../target/sources/sources/python3.11_*.orig.tar.gz --strip-components=3 -C tests \
            --wildcards '*/Lib/test/test_sqlite3'
    fi
    cat >run_test.py <<'END'
import os
import sys
import test
import unittest

from test import support
from test.libregrtest.cmdline import ALL_RESOURCES

# What fails, or never ends, without the library as well, on some machines or now and then.
LEFT_OUT = {
    # Waits for ever where the machine has sockets to its host, but none that lead back to itself.
    "ThreadedVSOCKSocketStreamTest",
}


def wanted(suite):
    for part in suite:
        if isinstance(part, unittest.TestSuite):
            yield from wanted(part)
        elif isinstance(part, unittest.loader._FailedTest):
            sys.exit(f"{part.id()} is not there, or does not load: {part._exception}")
        elif not LEFT_OUT.intersection(part.id().split(".")):
            yield part


def main(rounds, names):
    os.environ.pop("GLEANER_OPTIONS", None)
    test.__path__.append(os.path.join(os.path.dirname(__file__), "tests"))
    # Nothing beyond this machine is asked.
    support.use_resources = [name for name in ALL_RESOURCES if name not in ("network", "urlfetch")]
    with open("report", "w") as report:
        for name in names * rounds:
            suite = unittest.TestSuite(wanted(unittest.defaultTestLoader.loadTestsFromName("test." + name)))
            result = unittest.TextTestRunner(stream=report, verbosity=2).run(suite)
            print("tests", name, result.testsRun, "skipped", len(result.skipped))
            for kind, cases in ("failure", result.failures), ("error", result.errors):
                for case, trace in sorted(cases, key=lambda item: str(item[0])):
                    print(kind, case)
            print("passed" if result.wasSuccessful() else "failed")


# Processes that tests start import this file.
if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
END
}

commands() {
    local rounds=1
    case $1 in
    test_gc | test_json) rounds=$((scale / 2 + 1)) ;;
    test_sqlite3)
        rounds=$((scale / 2 + 1))
        set -- "$(cd ../input/tests && printf '%s\n' test_sqlite3/test_*.py | sed 's/\.py$//; s/\//./')"
        # shellcheck disable=SC2086
        set -- $1
        ;;
    test_list | test_dict) rounds=$((scale * 5)) ;;
    malloc)
        export PYTHONMALLOC=malloc
        set -- test_gc test_list test_dict test_json
        ;;
    esac
    /usr/bin/python3 ../input/run_test.py $rounds "$@"
}

# What tests print beside the report.
tidy() {
    grep -aE '^(tests|failure|error|passed|failed)( |$)' || true
}
