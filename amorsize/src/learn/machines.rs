//! This machine as samples know it.

use std::sync::LazyLock;

use crate::fingerprint::Fnv;
use crate::learn::codec;
use crate::learn::sample::MachineRecord;

/// This machine.
pub(crate) fn this() -> &'static MachineRecord {
    static THIS: LazyLock<MachineRecord> = LazyLock::new(|| {
        let mut record = MachineRecord {
            cores: crate::machine::cores().try_into().unwrap_or(u32::MAX),
            arch: std::env::consts::ARCH.to_owned(),
            ..MachineRecord::default()
        };
        record.id = id(&record);
        record
    });
    &THIS
}

/// Its record as bytes.
pub(crate) fn frame() -> &'static [u8] {
    static FRAME: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let mut frame = Vec::new();
        codec::add_machine(&mut frame, this());
        frame
    });
    &FRAME
}

/// The same for the same machine, whatever the order in which it was looked at.
fn id(record: &MachineRecord) -> u64 {
    let MachineRecord { id: _, cores, l3_bytes, numa_nodes, memory_bytes, quota, arch } = record;
    let hash = Fnv::new().text(arch).number((*cores).into()).number(*l3_bytes).number((*numa_nodes).into());
    hash.number(*memory_bytes).number(quota.map_or(0, |quota| quota.to_bits().into())).short()
}
