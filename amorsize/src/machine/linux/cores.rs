//! Processors this process may run on, and for how much of the time. (The standard library's `available_parallelism`
//! knows the same things but rounds a quota down: 1.9 processors' worth of time are 1 to it.)

use rustix::process::{Pid, getpid};
use rustix::thread::sched_getaffinity;

use super::cgroup::{Group, Groups};
use crate::machine::everywhere;

/// Processors that the process may be scheduled on, at least 1. The larger of the main thread's number and the calling
/// thread's: a single thread that was pinned says nothing about the others.
pub(in crate::machine) fn affinity() -> usize {
    let count = |thread: Option<Pid>| sched_getaffinity(thread).map_or(0, |set| set.count() as usize);
    match count(Some(getpid())).max(count(None)) {
        // More processors than the set has place for.
        0 => everywhere::affinity(),
        count => count,
    }
}

/// Processors' worth of time that the tightest control group allows.
pub(in crate::machine) fn quota(groups: &Groups) -> Option<f64> {
    groups.hierarchies("cpu").iter().flatten().filter_map(Group::cpu_quota).reduce(f64::min)
}

#[cfg(test)]
mod tests {
    use super::super::tests::Tree;
    use super::*;

    #[test]
    fn the_tightest_quota_up_the_tree_counts() {
        let tree = Tree::new()
            .file("proc/self/cgroup", "0::/pod/app\n")
            .file("proc/self/mountinfo", "30 23 0:27 / /cg rw - cgroup2 cgroup2 rw\n")
            .file("cg/pod/app/cpu.max", "max 100000\n")
            .file("cg/pod/cpu.max", "250000 100000\n")
            .file("cg/cpu.max", "900000 100000\n");
        let of = |tree: &Tree| quota(&Groups::read(tree.path()));
        assert_eq!((of(&tree), of(&Tree::new())), (Some(2.5), None));
    }

    #[test]
    fn some_processor_is_allowed() {
        assert!(affinity() >= 1);
    }
}
