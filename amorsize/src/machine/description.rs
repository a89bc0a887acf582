//! The machine as a value: what history is compared by, and what users may print.

use std::env::consts::ARCH;
use std::fmt;
use std::sync::LazyLock;

use super::here;
use crate::fingerprint::Fnv;
use crate::words::count;

/// Exponents of [`Machine::similarity`]: how much a ratio of 2 matters. Twice the cores alone make another machine
/// (0.5 to the power of 0.4 is 0.76, and 0.8 is needed); twice the cache, nodes or memory alone do not.
const CORES_WEIGHT: f64 = 0.4;
const L3_WEIGHT: f64 = 0.2;
const NODES_WEIGHT: f64 = 0.2;
const MEMORY_WEIGHT: f64 = 0.1;
/// Similarity of different architectures that are alike in everything else.
const OTHER_ARCHITECTURE: f64 = 0.5;

/// A machine, as far as it matters to a parallel run; [`machine`] describes this one.
#[derive(Clone, Debug, PartialEq)]
pub struct Machine {
    pub(crate) cores: usize,
    pub(crate) quota: Option<f64>,
    pub(crate) l3_bytes: u64,
    pub(crate) numa_nodes: usize,
    pub(crate) memory_bytes: u64,
    pub(crate) architecture: String,
}

/// The machine this process runs on, with the limits that apply to it now: affinity, control groups,
/// `AMORSIZE_THREADS`.
///
/// ```
/// let machine = amorsize::machine();
/// println!("{machine}");
/// assert!(machine.cores() >= 1);
/// assert_eq!(machine.similarity(&machine), 1.0);
/// ```
#[must_use]
pub fn machine() -> Machine {
    static FIXED: LazyLock<Machine> = LazyLock::new(|| Machine {
        cores: 1,
        quota: None,
        l3_bytes: fixed::l3_bytes(),
        numa_nodes: fixed::numa_nodes(),
        memory_bytes: 0,
        architecture: ARCH.to_owned(),
    });
    let allowed = here::allowed();
    let memory_bytes = here::total_memory();
    Machine { cores: allowed.cores, quota: allowed.quota, memory_bytes, ..FIXED.clone() }
}

impl Machine {
    /// Cores that the process may use, at least 1: those of its affinity, within the CPU quota (rounded up), or what
    /// `AMORSIZE_THREADS` says instead.
    #[must_use]
    pub fn cores(&self) -> usize {
        self.cores
    }

    /// Cores' worth of time that the tightest control group allows; `None` if unlimited.
    #[must_use]
    pub fn quota(&self) -> Option<f64> {
        self.quota
    }

    /// Bytes of a third-level cache; 0 if there is none or it is unknown.
    #[must_use]
    pub fn l3_bytes(&self) -> u64 {
        self.l3_bytes
    }

    /// Memory nodes, at least 1.
    #[must_use]
    pub fn numa_nodes(&self) -> usize {
        self.numa_nodes
    }

    /// Bytes of memory, or the limit of the process' control groups if that is smaller; 0 if unknown.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        self.memory_bytes
    }

    /// The architecture's name, as in [`std::env::consts::ARCH`].
    #[must_use]
    pub fn architecture(&self) -> &str {
        &self.architecture
    }

    /// How much what was learned on one machine says about the other, 0.0..=1.0; 1.0 for the same, the same both ways.
    ///
    /// The product of smaller/larger for each property, to a power that says how much it matters: cores 0.4,
    /// third-level cache 0.2, memory nodes 0.2, memory 0.1; halved if the architectures differ. What is unknown on
    /// either side is left out.
    #[must_use]
    pub fn similarity(&self, other: &Self) -> f64 {
        let architecture = if self.architecture == other.architecture { 1.0 } else { OTHER_ARCHITECTURE };
        architecture
            * likeness(self.cores as u64, other.cores as u64).powf(CORES_WEIGHT)
            * likeness(self.l3_bytes, other.l3_bytes).powf(L3_WEIGHT)
            * likeness(self.numa_nodes as u64, other.numa_nodes as u64).powf(NODES_WEIGHT)
            * likeness(self.memory_bytes, other.memory_bytes).powf(MEMORY_WEIGHT)
    }

    /// What records are filed under. Of coarse properties, so that it stays when a new kernel keeps some more memory
    /// for itself.
    pub(crate) fn id(&self) -> u64 {
        Fnv::new()
            .text(&self.architecture)
            .number(self.cores as u64)
            .number(magnitude(self.l3_bytes))
            .number(self.numa_nodes as u64)
            .number(magnitude(self.memory_bytes))
            .finish()
    }
}

/// Smaller over larger; 1 where one is unknown.
fn likeness(one: u64, other: u64) -> f64 {
    if one == 0 || other == 0 { 1.0 } else { one.min(other) as f64 / one.max(other) as f64 }
}

/// The nearest power of two, as its exponent. Sizes in use are near one or halfway to the next, not at a border.
fn magnitude(bytes: u64) -> u64 {
    (bytes.max(1) as f64).log2().round() as u64
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}", count(self.cores as u64, "core"), self.architecture)?;
        if let Some(quota) = self.quota {
            write!(f, ", quota {quota:.2}")?;
        }
        let nodes = count(self.numa_nodes as u64, "memory node");
        write!(f, "), {} L3, {nodes}, ", Bytes(self.l3_bytes))?;
        write!(f, "{} of memory", Bytes(self.memory_bytes))
    }
}

/// Prints a size as a person would.
struct Bytes(u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("unknown"),
            small @ 1..1024 => write!(f, "{small} B"),
            large => {
                let step = (large.ilog2() / 10).min(4);
                let unit = ["", "KiB", "MiB", "GiB", "TiB"][step as usize];
                let rounded = (large as f64 / 1024_f64.powi(step as i32) * 10.0).round() / 10.0;
                write!(f, "{rounded} {unit}")
            }
        }
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod fixed {
    use std::path::Path;

    use super::super::linux::topology;

    pub(super) fn l3_bytes() -> u64 {
        topology::l3_bytes(Path::new("/"))
    }

    pub(super) fn numa_nodes() -> usize {
        topology::numa_nodes(Path::new("/"))
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod fixed {
    pub(super) fn l3_bytes() -> u64 {
        0
    }

    pub(super) fn numa_nodes() -> usize {
        1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn desktop() -> Machine {
        Machine {
            cores: 8,
            quota: None,
            l3_bytes: 32 << 20,
            numa_nodes: 1,
            memory_bytes: 16 << 30,
            architecture: "x86_64".into(),
        }
    }

    #[test]
    fn a_machine_is_like_itself_and_likeness_has_no_direction() {
        let server = Machine { cores: 64, numa_nodes: 2, memory_bytes: 256 << 30, ..desktop() };
        assert_eq!(desktop().similarity(&desktop()), 1.0);
        assert_eq!(server.similarity(&desktop()), desktop().similarity(&server));
        assert!(server.similarity(&desktop()) < 0.4);
    }

    #[test]
    fn one_property_of_less_weight_may_differ_but_not_cores_or_architecture() {
        let alike = |other: Machine| desktop().similarity(&other) >= 0.8;
        assert!(alike(Machine { memory_bytes: 8 << 30, ..desktop() }));
        assert!(alike(Machine { l3_bytes: 16 << 20, ..desktop() }));
        assert!(alike(Machine { l3_bytes: 0, ..desktop() }));
        assert!(alike(Machine { cores: 6, ..desktop() }));
        assert!(!alike(Machine { cores: 4, ..desktop() }));
        assert!(!alike(Machine { architecture: "aarch64".into(), ..desktop() }));
    }

    #[test]
    fn the_id_is_the_same_for_ever_and_does_not_follow_every_byte() {
        assert_eq!(desktop().id(), 15_117_804_037_465_611_183);
        for memory_bytes in [16_300_000_000, 15_900_000_000] {
            assert_eq!(Machine { memory_bytes, quota: Some(7.5), ..desktop() }.id(), desktop().id());
        }
        for other in [
            Machine { cores: 4, ..desktop() },
            Machine { memory_bytes: 32 << 30, ..desktop() },
            Machine { l3_bytes: 8 << 20, ..desktop() },
            Machine { numa_nodes: 2, ..desktop() },
            Machine { architecture: "aarch64".into(), ..desktop() },
        ] {
            assert_ne!(other.id(), desktop().id(), "{other}");
        }
    }

    #[test]
    fn it_prints_as_one_would_say_it() {
        assert_eq!(desktop().to_string(), "8 cores (x86_64), 32 MiB L3, 1 memory node, 16 GiB of memory");
        let small = Machine { cores: 1, quota: Some(0.5), l3_bytes: 0, memory_bytes: 24_683_656 << 10, ..desktop() };
        assert_eq!(small.to_string(), "1 core (x86_64, quota 0.50), unknown L3, 1 memory node, 23.5 GiB of memory");
        assert_eq!(Bytes(1023).to_string(), "1023 B");
    }

    #[test]
    fn this_machine_is_described() {
        let machine = machine();
        assert!(machine.cores() >= 1 && machine.numa_nodes() >= 1);
        assert!(machine.memory_bytes() > 0);
        assert_eq!(machine.architecture(), ARCH);
    }
}
