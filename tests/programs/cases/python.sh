# python: CPython's own tests of its collector, threads, lists, dictionaries, processes, json, TLS, databases, foreign
# functions and streams.
#
# Compared are the number of tests, those that failed and the result: some fail without us too, for root or in a
# sandbox. GLEANER_OPTIONS is taken out of the environment once the library has read it, and nothing is traced:
# tests judge what the processes that they start write on stderr, and exchange descriptor 2 themselves. The quick
# ones are repeated. `malloc` runs four of them with each object from malloc, not from Python's arenas.

packages='python3 libpython3.11-testsuite'
variants=(test_gc test_threading test_list test_dict test_subprocess test_json test_ssl test_sqlite3 test_ctypes test_io
    malloc)
trace=no
zeal=(100 200 200 300 400 20000 100000 100 500 2000 40000)
short=test_json
deadline=900

prepare() {
    cat >run_test.py <<'END'
import os
import sys
import unittest

os.environ.pop("GLEANER_OPTIONS", None)
rounds, names = int(sys.argv[1]), sys.argv[2:]
with open("report", "w") as report:
    for name in names * rounds:
        suite = unittest.defaultTestLoader.loadTestsFromName("test." + name)
        result = unittest.TextTestRunner(stream=report, verbosity=2).run(suite)
        print("tests", name, result.testsRun, "skipped", len(result.skipped))
        for kind, cases in ("failure", result.failures), ("error", result.errors):
            for case, trace in sorted(cases, key=lambda item: str(item[0])):
                print(kind, case)
        print("passed" if result.wasSuccessful() else "failed")
END
}

commands() {
    local rounds=1
    case $1 in
    test_gc | test_json | test_sqlite3) rounds=$((scale / 2 + 1)) ;;
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
