"""What a log call costs, how a storm is told and how fast: this package's handler beside its peers.

    pip install -e '.[bench]'
    python -m tools.benchmarks              # about twenty minutes
    python -m tools.benchmarks --quick      # about two minutes: to see that all runs, not for its figures
    python -m tools.benchmarks --only repeat drain
    python -m tools.benchmarks.ratios       # a minute, without the extra: is a log call still as cheap as it was?
    python -m tools.benchmarks.ratios --table   # about three: the same beside sentry-sdk and python-logstash-async

`workloads` has the table's rows and targets, `programs` what each process runs, `peers` who is compared, `server` the
HTTP server they all talk to on 127.0.0.1, and `measure` how a figure is taken. A test says that they run; `ratios`
alone says that something takes too long.
"""
