//! Memory this process has and may still take: the smallest of what the machine, every control group and the process'
//! own resource limits leave.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use rustix::param::page_size;
use rustix::process::{Resource, getrlimit};

use super::cgroup::{self, Group, Groups, Version};
use crate::machine::Memory;

/// Bytes of a file that are looked at: the longest, a group's details, has some 3,000.
const LONGEST: usize = 8192;

/// Resource limits of a process, in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::machine) struct Limits {
    address_space: Option<u64>,
    data: Option<u64>,
}

impl Limits {
    /// The limits of the calling process.
    pub(in crate::machine) fn current() -> Self {
        Self { address_space: getrlimit(Resource::As).current, data: getrlimit(Resource::Data).current }
    }
}

/// The files and limits that tell of memory. The files stay open, since opening one costs several times what reading it
/// does.
#[derive(Debug)]
pub(in crate::machine) struct Gauge {
    machine: Option<File>,
    process: Option<File>,
    groups: Vec<Limited>,
    limits: Limits,
}

/// A control group with a limit.
#[derive(Debug)]
struct Limited {
    limit: u64,
    version: Version,
    usage: File,
    details: Option<File>,
}

impl Limited {
    fn open(group: &Group) -> Option<Self> {
        let limit = group.memory_limit()?;
        let usage = File::open(group.usage_file()).ok()?;
        Some(Self { limit, version: group.version, usage, details: File::open(group.details_file()).ok() })
    }

    fn headroom(&self) -> Option<u64> {
        let usage: u64 = read(&self.usage)?.trim().parse().ok()?;
        // The details cost more than all the rest, and matter only when the group is filling up.
        let has_room = usage < self.limit / 2;
        let details = if has_room { None } else { self.details.as_ref().and_then(read) };
        let reclaimable = details.map_or(0, |details| cgroup::reclaimable(&details, self.version));
        Some(self.limit.saturating_sub(usage.saturating_sub(reclaimable)))
    }
}

/// What a process has, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Process {
    resident: u64,
    /// Private memory that can be written, resident or not.
    data: u64,
}

impl Process {
    /// The text of `/proc/self/statm`: numbers of pages.
    fn parse(text: &str, page: u64) -> Option<Self> {
        let mut pages = text.split_ascii_whitespace().map(|number| number.parse::<u64>().ok());
        let (resident, data) = (pages.nth(1)??, pages.nth(3)??);
        Some(Self { resident: resident.saturating_mul(page), data: data.saturating_mul(page) })
    }

    /// Memory as the resource limits have it; `None` where there are none. The address space is not compared as a
    /// whole: allocators reserve much of it (64 MB a thread in glibc) and then fill it, so counting that as used would
    /// see a full house from the start.
    fn under(self, limits: Limits) -> Option<Memory> {
        let used = self.data.max(self.resident);
        let limit = limits.address_space.into_iter().chain(limits.data).min()?;
        Some(Memory::new(used, limit.saturating_sub(used)))
    }
}

impl Gauge {
    /// Finds the limits that apply, below `root`.
    pub(in crate::machine) fn open(root: &Path, groups: &Groups, limits: Limits) -> Self {
        let file = |name| File::open(root.join(name)).ok();
        let mut hierarchies = groups.hierarchies("memory");
        hierarchies.retain(|groups| groups.first().is_some_and(|own| !own.is_free_of_limits()));
        let groups = hierarchies.iter().flatten().filter_map(Limited::open).collect();
        Self { machine: file("proc/meminfo"), process: file("proc/self/statm"), groups, limits }
    }

    /// Reads the state now; `None` if nothing can be known.
    pub(in crate::machine) fn read(&self) -> Option<Memory> {
        let process = self.process.as_ref().and_then(read);
        let process = process.and_then(|text| Process::parse(&text, page_size() as u64));
        let resident = process.map_or(0, |process| process.resident);
        let machine = self.machine.as_ref().and_then(read).and_then(|text| entry(&text, "MemAvailable:"));
        let shared = self.groups.iter().filter_map(Limited::headroom).chain(machine);
        let shared = shared.map(|available| Memory::new(resident, available));
        shared.chain(process.and_then(|process| process.under(self.limits))).reduce(Memory::and)
    }

    /// Bytes of memory that the machine has, or that a control group allows.
    pub(in crate::machine) fn total(&self) -> Option<u64> {
        let machine = self.machine.as_ref().and_then(read).and_then(|text| entry(&text, "MemTotal:"));
        self.groups.iter().map(|group| group.limit).chain(machine).min()
    }
}

/// Bytes behind a name in the text of `/proc/meminfo`, which is in units of 1024 bytes.
fn entry(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// The text of an open file, from its beginning.
fn read(file: &File) -> Option<String> {
    let mut bytes = [0; LONGEST];
    let length = file.read_at(&mut bytes, 0).ok()?;
    Some(String::from_utf8_lossy(bytes.get(..length)?).into_owned())
}

#[cfg(test)]
mod tests {
    use super::super::tests::Tree;
    use super::*;

    const MIB: u64 = 1 << 20;

    /// A machine with 1 GiB available and a process that holds 10 MiB resident and 20 MiB of data.
    fn machine() -> Tree {
        let pages = |mib: u64| mib * MIB / page_size() as u64;
        Tree::new()
            .file("proc/meminfo", "MemTotal:  2097152 kB\nMemFree: 1 kB\nMemAvailable:    1048576 kB\n")
            .file("proc/self/statm", &format!("{} {} 3 4 0 {} 0\n", pages(900), pages(10), pages(20)))
    }

    fn in_group(tree: Tree) -> Tree {
        tree.file("proc/self/cgroup", "0::/pod/app\n")
            .file("proc/self/mountinfo", "30 23 0:27 / /cg rw - cgroup2 cgroup2 rw\n")
    }

    fn group(tree: Tree, name: &str, max: &str, current: u64, inactive: u64) -> Tree {
        tree.file(&format!("cg/{name}/memory.max"), max)
            .file(&format!("cg/{name}/memory.current"), &format!("{current}\n"))
            .file(&format!("cg/{name}/memory.stat"), &format!("anon 1\ninactive_file {inactive}\n"))
    }

    fn gauge(tree: &Tree, limits: Limits) -> Gauge {
        Gauge::open(tree.path(), &Groups::read(tree.path()), limits)
    }

    fn read(tree: &Tree, limits: Limits) -> Memory {
        gauge(tree, limits).read().unwrap()
    }

    #[test]
    fn without_limits_the_machine_is_the_limit() {
        let memory = read(&machine(), Limits::default());
        assert_eq!((memory.available(), memory.used()), (1024 * MIB, 10 * MIB));
        assert_eq!(memory.limit(), 1034 * MIB);
        assert_eq!(gauge(&machine(), Limits::default()).total(), Some(2048 * MIB));
    }

    #[test]
    fn the_group_with_the_least_room_counts() {
        let tree = group(in_group(machine()), "pod/app", "max\n", 9, 0);
        let tree = group(tree, "pod", &format!("{}\n", 100 * MIB), 90 * MIB, 30 * MIB);
        assert_eq!(read(&tree, Limits::default()).available(), 40 * MIB);
        let tree = group(tree, "pod/app", &format!("{}\n", 20 * MIB), 15 * MIB, 0);
        assert_eq!(read(&tree, Limits::default()).available(), 5 * MIB);
    }

    #[test]
    fn a_limit_around_the_own_group_counts_under_version_1() {
        let stat = |limit: u64| format!("total_inactive_file 0\nhierarchical_memory_limit {limit}\n");
        let limited = |limit: u64| {
            let tree = machine()
                .file("proc/self/cgroup", "4:memory:/pod\n")
                .file("proc/self/mountinfo", "35 31 0:32 / /cg rw - cgroup cgroup rw,memory\n");
            ["cg", "cg/pod"].into_iter().fold(tree, |tree, group| {
                tree.file(&format!("{group}/memory.stat"), &stat(limit))
                    .file(&format!("{group}/memory.usage_in_bytes"), &format!("{}\n", 70 * MIB))
            })
        };
        assert_eq!(read(&limited(100 * MIB), Limits::default()).available(), 30 * MIB);
        assert_eq!(read(&limited(1 << 62), Limits::default()).available(), 1024 * MIB);
    }

    #[test]
    fn an_overfull_group_leaves_nothing() {
        let tree = group(in_group(machine()), "pod", "1000\n", 5000, 9);
        assert_eq!(read(&tree, Limits::default()).available(), 0);
    }

    #[test]
    fn an_open_gauge_follows_what_changes() {
        let tree = group(in_group(machine()), "pod", &format!("{}\n", 100 * MIB), 90 * MIB, 0);
        let gauge = gauge(&tree, Limits::default());
        assert_eq!(gauge.read().unwrap().available(), 10 * MIB);
        let _tree = group(tree, "pod", "max", 60 * MIB, 0);
        assert_eq!(gauge.read().unwrap().available(), 40 * MIB);
        assert_eq!(gauge.total(), Some(100 * MIB));
    }

    #[test]
    fn resource_limits_leave_what_is_not_data_and_ignore_reserved_addresses() {
        let address_space = Limits { address_space: Some(50 * MIB), data: None };
        let memory = read(&machine(), address_space);
        assert_eq!((memory.used(), memory.available(), memory.limit()), (20 * MIB, 30 * MIB, 50 * MIB));
        let data = Limits { address_space: Some(50 * MIB), data: Some(21 * MIB) };
        assert_eq!(read(&machine(), data).available(), MIB);
    }

    #[test]
    fn the_limit_used_most_may_be_another_than_the_one_with_the_least_room() {
        let (small, large) = (Memory::new(1, 99), Memory::new(900, 100));
        for memory in [small.and(large), large.and(small)] {
            assert_eq!((memory.used(), memory.limit(), memory.available()), (900, 1_000, 99));
        }
    }

    #[test]
    fn garbage_is_no_limit() {
        let tree = group(in_group(machine()), "pod", "many\n", 1, 1).file("cg/pod/memory.current", "?");
        assert_eq!(read(&tree, Limits::default()).available(), 1024 * MIB);
        let tree = group(tree, "pod", "1000", 1, 1).file("cg/pod/memory.current", "?");
        assert_eq!(read(&tree, Limits::default()).available(), 1024 * MIB);
        let tree = tree.file("proc/self/statm", "1 x\n");
        assert_eq!(read(&tree, Limits::default()).used(), 0);
        for unknown in
            ["", "MemAvailable:", "MemAvailable: x kB", "MemAvailable: 5 MB", "MemAvailable: 99999999999999999999 kB"]
        {
            assert_eq!(entry(unknown, "MemAvailable:"), None, "{unknown:?}");
        }
        assert_eq!(gauge(&Tree::new(), Limits::default()).read(), None);
    }
}
