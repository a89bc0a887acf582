//! Machines as samples know them: the record kept in files, and how it is made and compared.

use std::env::consts::ARCH;
use std::sync::OnceLock;

use crate::learn::codec;
use crate::learn::sample::MachineRecord;
use crate::machine::{Machine, machine, recalled_share};

static THIS: OnceLock<MachineRecord> = OnceLock::new();

/// This machine, as it was when it was first asked for, which takes a fifth of a millisecond.
pub(crate) fn this() -> &'static MachineRecord {
    THIS.get().unwrap_or_else(|| {
        // Whoever listens to what is wrong with the environment may ask for this: nobody waits for the answer
        // meanwhile.
        let found = (&machine()).into();
        THIS.get_or_init(|| found)
    })
}

/// What stands in a sample for this machine as long as nobody has asked for it.
pub(crate) const NOT_YET_KNOWN: u64 = 0;

/// What this machine's samples are filed under, if it has been asked for; otherwise [`NOT_YET_KNOWN`].
pub(crate) fn id_if_known() -> u64 {
    THIS.get().map_or(NOT_YET_KNOWN, |this| this.id)
}

/// What this machine is filed under among those that samples come from. If there is only one, which has as many cores
/// as this process seems to have, it is taken to be this one until somebody asks, so that the first predictions of a
/// process are made without a look at everything: that is right unless a history was carried to another machine with as
/// many cores. Whoever writes records down asks, and so does a run that is long enough.
pub(crate) fn id_among(known: &[MachineRecord]) -> u64 {
    match (THIS.get(), known) {
        (None, [only]) if seems_to_be_here(only) => only.id,
        _ => this().id,
    }
}

fn seems_to_be_here(record: &MachineRecord) -> bool {
    record.quota.is_none() && record.cores as usize == recalled_share().cores && record.arch == ARCH
}

/// This machine's record as bytes.
pub(crate) fn frame() -> &'static [u8] {
    static FRAME: OnceLock<Vec<u8>> = OnceLock::new();
    // Before anybody waits for the frame, for the same reason.
    let this = this();
    FRAME.get_or_init(|| {
        let mut frame = Vec::new();
        codec::add_machine(&mut frame, this);
        frame
    })
}

/// How much a machine resembles this one, 0..=1.
pub(crate) fn similarity(other: &MachineRecord) -> f64 {
    if other.id == this().id { 1.0 } else { Machine::from(this()).similarity(&other.into()) }
}

impl From<&Machine> for MachineRecord {
    fn from(machine: &Machine) -> Self {
        let id = machine.id();
        Self {
            id: (id >> 32) ^ (id & u64::from(u32::MAX)),
            cores: machine.cores.try_into().unwrap_or(u32::MAX),
            l3_bytes: machine.l3_bytes,
            numa_nodes: machine.numa_nodes.try_into().unwrap_or(u32::MAX),
            memory_bytes: machine.memory_bytes,
            quota: machine.quota.map(|quota| quota as f32),
            arch: machine.architecture.clone(),
        }
    }
}

impl From<&MachineRecord> for Machine {
    fn from(record: &MachineRecord) -> Self {
        Self {
            cores: record.cores as usize,
            quota: record.quota.map(f64::from),
            l3_bytes: record.l3_bytes,
            numa_nodes: record.numa_nodes as usize,
            memory_bytes: record.memory_bytes,
            architecture: record.arch.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_that_may_be_another_one_is_not_taken_for_this_one() {
        let here = MachineRecord { quota: None, ..this().clone() };
        assert!(seems_to_be_here(&here));
        assert!(!seems_to_be_here(&MachineRecord { cores: here.cores + 1, ..here.clone() }));
        assert!(!seems_to_be_here(&MachineRecord { quota: Some(1.5), ..here.clone() }), "a quota takes a look");
        assert!(!seems_to_be_here(&MachineRecord { arch: "pdp11".into(), ..here.clone() }));
        let known = MachineRecord { id: here.id + 1, ..here };
        assert_eq!(id_among(&[known]), this().id, "once somebody has asked, that is the answer");
    }
}
