# python: CPython's own tests of its collector, threads, lists, dictionaries, processes and json.
#
# Compared are the number of tests, those that failed and the result: some fail without us too, for root or in a
# sandbox. GLEANER_OPTIONS is taken out of the environment once the library has read it, and nothing is traced:
# tests judge what the processes that they start write on stderr, and exchange descriptor 2 themselves. `malloc` runs test_gc with each object from malloc, not an arena.

packages='python3 libpython3.11-testsuite'
variants=(test_gc test_threading test_list test_dict test_subprocess test_json malloc)
trace=no
zeal=2000
deadline=900
[[ $scale != 1 ]] || variants=(test_json)
short=yes

prepare() {
    cat >run_test.py <<'END'
import os
import sys
import unittest

os.environ.pop("GLEANER_OPTIONS", None)
name = sys.argv[1]
suite = unittest.defaultTestLoader.loadTestsFromName("test." + name)
with open("report", "w") as report:
    result = unittest.TextTestRunner(stream=report, verbosity=2).run(suite)
print("tests", result.testsRun, "skipped", len(result.skipped), "expected failures", len(result.expectedFailures))
for kind, cases in ("failure", result.failures), ("error", result.errors):
    for case, trace in sorted(cases, key=lambda item: str(item[0])):
        print(kind, case)
print("passed" if result.wasSuccessful() else "failed")
END
}

commands() {
    local name=$1
    [[ $name != malloc ]] || { export PYTHONMALLOC=malloc && name=test_gc; }
    /usr/bin/python3 ../input/run_test.py "$name"
}

# What tests print beside the report.
tidy() {
    grep -aE '^(tests|failure|error|passed|failed)( |$)' || true
}
