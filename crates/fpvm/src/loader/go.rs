//! What is taken out of Go programs that run on a machine with one thread: functions that would wait for
//! another one, that only cost time, or that need floating point. Each returns at once.

/// Their names, as the deployed loaders have them: they decide the state hash of every program.
const FUNCTIONS: [&str; 14] = [
    "runtime.gcenable",
    "runtime.init.5",
    "runtime.main.func1",
    "runtime.deductSweepCredit",
    "runtime.(*gcControllerState).commit",
    "github.com/prometheus/client_golang/prometheus.init",
    "github.com/prometheus/client_golang/prometheus.init.0",
    "github.com/prometheus/procfs.init",
    "github.com/prometheus/common/model.init",
    "github.com/prometheus/client_model/go.init",
    "github.com/prometheus/client_model/go.init.0",
    "github.com/prometheus/client_model/go.init.1",
    "flag.init",
    "runtime.check",
];

/// Whether the function of this name is one of them.
pub(super) fn is_taken_out(name: &str) -> bool {
    FUNCTIONS.contains(&name)
}
