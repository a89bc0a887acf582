//! Processors, caches and memory nodes, as `/sys` lists them.

use std::path::Path;

use super::text;

/// Processors that are in use, whoever may use them; `None` if unknown.
pub(in crate::machine) fn processors(root: &Path) -> Option<usize> {
    count(text::read(&root.join("sys/devices/system/cpu/online"))?.trim())
}

/// Index of the usual third-level cache, behind two caches of the first level and one of the second.
const USUAL_THIRD: u32 = 3;

/// Bytes of the third-level cache that the first processor has; 0 if unknown.
pub(in crate::machine) fn l3_bytes(root: &Path) -> u64 {
    let caches = root.join("sys/devices/system/cpu/cpu0/cache");
    let read = |index: u32, file: &str| text::read(&caches.join(format!("index{index}")).join(file));
    let is_third = |index: u32| read(index, "level").map(|level| level.trim() == "3");
    // Each file takes as long to read as a small run. Caches are numbered without a gap.
    let usual = is_third(USUAL_THIRD).unwrap_or(false).then_some(USUAL_THIRD);
    let others = || (0..).map_while(|index| Some((index, is_third(index)?))).find(|(_, is_third)| *is_third);
    let third = usual.or_else(|| others().map(|(index, _)| index));
    third.and_then(|index| bytes(read(index, "size")?.trim())).unwrap_or(0)
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
    let list = text::read(&root.join("sys/devices/system/node/online")).unwrap_or_default();
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
            .file(&cache(1, "level"), "3\n")
            .file(&cache(1, "size"), "32768K\n")
            .file(&cache(2, "level"), "4\n");
        assert_eq!(l3_bytes(tree.path()), 32 << 20);
        let tree =
            tree.file(&cache(1, "level"), "2\n").file(&cache(3, "level"), "3\n").file(&cache(3, "size"), "16M\n");
        assert_eq!(l3_bytes(tree.path()), 16 << 20);
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
    fn processors_are_counted_from_a_list() {
        assert_eq!(processors(Tree::new().file("sys/devices/system/cpu/online", "0-1,3\n").path()), Some(3));
        assert_eq!(processors(Tree::new().path()), None);
    }

    #[test]
    fn nodes_are_counted_from_a_list() {
        assert_eq!(["0", "0-3", "0-1,4", "", "x", "3-1"].map(count), [Some(1), Some(4), Some(3), None, None, None]);
        assert_eq!(numa_nodes(Tree::new().path()), 1);
        assert_eq!(numa_nodes(Tree::new().file("sys/devices/system/node/online", "0-1\n").path()), 2);
    }
}
