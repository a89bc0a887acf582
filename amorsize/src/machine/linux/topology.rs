//! Caches and memory nodes, as `/sys` lists them.

use std::fs;
use std::path::Path;

/// Bytes of the largest third-level cache that the first processor has; 0 if unknown.
pub(in crate::machine) fn l3_bytes(root: &Path) -> u64 {
    let Ok(caches) = fs::read_dir(root.join("sys/devices/system/cpu/cpu0/cache")) else { return 0 };
    let size = |cache: &Path| {
        let level = fs::read_to_string(cache.join("level")).ok()?;
        let size = fs::read_to_string(cache.join("size")).ok()?;
        if level.trim() == "3" { bytes(size.trim()) } else { None }
    };
    caches.flatten().filter_map(|entry| size(&entry.path())).max().unwrap_or(0)
}

/// A size as the kernel writes it: "512K", "32768K", "1M".
fn bytes(size: &str) -> Option<u64> {
    let digits = size.trim_end_matches(|unit: char| !unit.is_ascii_digit());
    let factor = match &size[digits.len()..] {
        "" => 1,
        "K" => 1 << 10,
        "M" => 1 << 20,
        "G" => 1 << 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(factor)
}

/// Memory nodes that are in use, at least 1.
pub(in crate::machine) fn numa_nodes(root: &Path) -> usize {
    let list = fs::read_to_string(root.join("sys/devices/system/node/online")).unwrap_or_default();
    count(list.trim()).unwrap_or(1).max(1)
}

/// Members of a list such as "0-1,4".
fn count(list: &str) -> Option<usize> {
    list.split(',').try_fold(0, |sum: usize, range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
        sum.checked_add(last.checked_sub(first)?.checked_add(1)?)
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::Tree;
    use super::*;

    #[test]
    fn the_third_level_is_found_among_the_caches() {
        let cache = |index: u32, file: &str| format!("sys/devices/system/cpu/cpu0/cache/index{index}/{file}");
        let tree = Tree::new()
            .file(&cache(0, "level"), "1\n")
            .file(&cache(0, "size"), "64K\n")
            .file(&cache(3, "level"), "3\n")
            .file(&cache(3, "size"), "32768K\n")
            .file(&cache(4, "level"), "3\n");
        assert_eq!(l3_bytes(tree.path()), 32 << 20);
        assert_eq!(l3_bytes(Tree::new().path()), 0);
    }

    #[test]
    fn sizes_have_units() {
        assert_eq!(
            ["48K", "2M", "7", "", "K", "3X", "-1K"].map(bytes),
            [Some(48 << 10), Some(2 << 20), Some(7), None, None, None, None]
        );
        assert_eq!(bytes("99999999999999999999G"), None);
    }

    #[test]
    fn nodes_are_counted_from_a_list() {
        assert_eq!(["0", "0-3", "0-1,4", "", "x", "3-1"].map(count), [Some(1), Some(4), Some(3), None, None, None]);
        assert_eq!(numa_nodes(Tree::new().path()), 1);
        assert_eq!(numa_nodes(Tree::new().file("sys/devices/system/node/online", "0-1\n").path()), 2);
    }
}
