//! What the standard library and `sysinfo` tell on every system: less than [`super::linux`], and slower.

use std::thread;

use sysinfo::{MemoryRefreshKind, Pid, ProcessRefreshKind, ProcessesToUpdate, System};

use super::Memory;

/// Processors that the process may be scheduled on, at least 1.
pub(super) fn affinity() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// What the process has, and what the whole machine has available; `None` if unknown.
pub(super) fn memory() -> Option<Memory> {
    let mut system = system();
    let process = Pid::from_u32(std::process::id());
    let what = ProcessRefreshKind::nothing().with_memory();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[process]), false, what);
    let used = system.process(process).map_or(0, sysinfo::Process::memory);
    (system.total_memory() > 0).then(|| Memory::new(used, system.available_memory()))
}

/// Bytes of memory that the machine has; 0 if unknown.
pub(super) fn total_memory() -> u64 {
    system().total_memory()
}

fn system() -> System {
    let mut system = System::new();
    system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
    system
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_some_of_the_machines_memory() {
        let memory = memory().unwrap();
        assert!(memory.used() > 0 && memory.used() < total_memory());
        assert!(memory.available() > 0 && memory.available() <= total_memory());
    }
}
