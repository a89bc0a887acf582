//! The control groups of this process, versions 1 and 2, from its own up to the topmost that can be seen. Finds their
//! directories and what they limit; it does not watch them.
//!
//! Every path is taken below a given root, so that tests can make one up.

use std::path::{Path, PathBuf};

use super::text;

/// From this number of bytes on, version 1 means "unlimited": it says the largest number of whole pages.
const UNLIMITED: u64 = 1 << 62;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    V1,
    V2,
}

/// A control group, as a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) directory: PathBuf,
    pub(super) version: Version,
}

/// Where this process is among all control groups.
#[derive(Debug)]
pub(in crate::machine) struct Groups {
    root: PathBuf,
    /// The texts of `/proc/self/cgroup` and `/proc/self/mountinfo`.
    memberships: String,
    mounts: String,
}

impl Groups {
    pub(in crate::machine) fn read(root: &Path) -> Self {
        let read = |name| text::read(&root.join(name)).unwrap_or_default();
        Self { root: root.into(), memberships: read("proc/self/cgroup"), mounts: read("proc/self/mountinfo") }
    }

    /// The hierarchies in which `controller` ("cpu", "memory") may limit this process: the groups of each, the
    /// innermost first.
    pub(super) fn hierarchies(&self, controller: &str) -> Vec<Vec<Group>> {
        let mounts = self.mounts.lines().filter_map(|line| Mount::parse(line, controller));
        mounts.filter_map(|mount| self.hierarchy(&mount, controller)).collect()
    }

    fn hierarchy(&self, mount: &Mount, controller: &str) -> Option<Vec<Group>> {
        let path = self.memberships.lines().find_map(|line| membership(line, mount.version, controller))?;
        let top = below(&self.root, &mount.point);
        let own = mount.directory(path).map_or_else(|| top.clone(), |inner| top.join(inner));
        let up = own.ancestors().take_while(|directory| directory.starts_with(&top));
        Some(up.map(|directory| Group { directory: directory.into(), version: mount.version }).collect())
    }
}

fn below(root: &Path, absolute: &str) -> PathBuf {
    root.join(absolute.trim_start_matches('/'))
}

/// The path in a line of `/proc/self/cgroup` (`id:controllers:path`) if it is of this hierarchy.
fn membership<'a>(line: &'a str, version: Version, controller: &str) -> Option<&'a str> {
    let mut fields = line.splitn(3, ':');
    let (id, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
    let is_meant = match version {
        Version::V1 => controllers.split(',').any(|name| name == controller),
        Version::V2 => id == "0" && controllers.is_empty(),
    };
    is_meant.then_some(path)
}

/// A mounted hierarchy.
#[derive(Debug, PartialEq, Eq)]
struct Mount {
    version: Version,
    /// The group that is seen at the mount point; not the topmost one in a container.
    root: String,
    point: String,
}

impl Mount {
    /// A line of `/proc/self/mountinfo`, if it mounts the unified hierarchy or the controller's own.
    fn parse(line: &str, controller: &str) -> Option<Self> {
        let (mount, kind) = line.split_once(" - ")?;
        let mut mount = mount.split(' ').skip(3);
        let (root, point) = (mount.next()?, mount.next()?);
        let mut kind = kind.split(' ');
        let version = match kind.next()? {
            "cgroup2" => Version::V2,
            "cgroup" if kind.nth(1)?.split(',').any(|option| option == controller) => Version::V1,
            _ => return None,
        };
        Some(Self { version, root: unescape(root), point: unescape(point) })
    }

    /// Where below the mount point the group at `path` is. `None`: it cannot be seen there, as happens where the
    /// mount and the path were made in different namespaces; what is mounted is then the best that is known.
    fn directory<'a>(&self, path: &'a str) -> Option<&'a str> {
        let inner = path.strip_prefix(self.root.trim_end_matches('/'))?;
        let is_whole_name = inner.is_empty() || inner.starts_with('/');
        let leads_out = inner.split('/').any(|name| name == "..");
        (is_whole_name && !leads_out).then(|| inner.trim_matches('/'))
    }
}

/// Undoes the kernel's octal escapes of blanks and backslashes (`\040`).
fn unescape(field: &str) -> String {
    let [blank, tab, line, backslash] = [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")];
    [blank, tab, line, backslash].iter().fold(field.to_owned(), |text, (from, to)| text.replace(from, to))
}

impl Group {
    fn text(&self, file: &str) -> Option<String> {
        text::read(&self.directory.join(file))
    }

    fn number<T: std::str::FromStr>(&self, file: &str) -> Option<T> {
        self.text(file)?.trim().parse().ok()
    }

    /// Processors' worth of time that the group may use; `None` if unlimited.
    pub(super) fn cpu_quota(&self) -> Option<f64> {
        let (quota, period): (f64, f64) = match self.version {
            Version::V1 => match self.number("cpu.cfs_quota_us")? {
                quota if quota > 0.0 => (quota, self.number("cpu.cfs_period_us")?),
                _ => return None,
            },
            Version::V2 => {
                let text = self.text("cpu.max")?;
                let mut fields = text.split_ascii_whitespace();
                (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?)
            }
        };
        // Version 1 says -1 for unlimited, version 2 "max".
        (quota > 0.0 && period > 0.0).then_some(quota / period).filter(|quota| quota.is_finite())
    }

    /// Whether nothing limits the memory of this group, nor of any group around it. (Only version 1 tells so much.)
    pub(super) fn is_free_of_limits(&self) -> bool {
        self.version == Version::V1 && self.limit_from_above().is_some_and(|limit| limit >= UNLIMITED)
    }

    /// What this group and those around it allow, as version 1 has it.
    fn limit_from_above(&self) -> Option<u64> {
        field(&self.text("memory.stat")?, "hierarchical_memory_limit")
    }

    /// Bytes that the group may use; `None` if unlimited. Above `memory.high` a group is slowed down until it hardly
    /// runs, so that counts too, and so does what groups above it allow, which version 1 tells even where they cannot
    /// be seen.
    pub(super) fn memory_limit(&self) -> Option<u64> {
        let (one, other) = match self.version {
            Version::V1 => (self.number("memory.limit_in_bytes"), self.limit_from_above()),
            Version::V2 => (self.number("memory.max"), self.number("memory.high")),
        };
        [one, other].into_iter().flatten().min().filter(|&limit| limit < UNLIMITED)
    }

    /// The file with the bytes that the group uses, pages of files included.
    pub(super) fn usage_file(&self) -> PathBuf {
        self.directory.join(match self.version {
            Version::V1 => "memory.usage_in_bytes",
            Version::V2 => "memory.current",
        })
    }

    /// The file with the details of what the group uses.
    pub(super) fn details_file(&self) -> PathBuf {
        self.directory.join("memory.stat")
    }
}

/// Bytes of files, read and no longer in use, among a group's details: given back before anything fails.
pub(super) fn reclaimable(details: &str, version: Version) -> u64 {
    let name = match version {
        Version::V1 => "total_inactive_file",
        Version::V2 => "inactive_file",
    };
    field(details, name).unwrap_or(0)
}

/// The number behind `name` in lines of `name number`.
pub(super) fn field(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::super::tests::Tree;
    use super::*;

    const V2: &str = "30 23 0:27 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n";
    const V1_MEMORY: &str = "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory\n";
    const V1_CPU: &str = "33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n";

    fn tree(membership: &str, mounts: &str) -> Tree {
        Tree::new().file("proc/self/cgroup", membership).file("proc/self/mountinfo", mounts)
    }

    fn groups(root: &Path, controller: &str) -> Vec<Group> {
        Groups::read(root).hierarchies(controller).concat()
    }

    fn names(tree: &Tree, controller: &str) -> Vec<String> {
        let relative = |group: Group| group.directory.strip_prefix(tree.path()).unwrap().display().to_string();
        groups(tree.path(), controller).into_iter().map(relative).collect()
    }

    #[test]
    fn version_2_leads_from_the_own_group_up_to_the_mount() {
        let tree = tree("0::/user.slice/app.scope\n", V2);
        let expected = ["sys/fs/cgroup/user.slice/app.scope", "sys/fs/cgroup/user.slice", "sys/fs/cgroup"];
        assert_eq!(names(&tree, "memory"), expected);
    }

    #[test]
    fn version_1_has_a_hierarchy_for_each_controller() {
        let tree = tree("4:memory:/jobs/1\n2:cpu,cpuacct:/slow\n", &format!("{V1_MEMORY}{V1_CPU}"));
        let memory = ["sys/fs/cgroup/memory/jobs/1", "sys/fs/cgroup/memory/jobs", "sys/fs/cgroup/memory"];
        assert_eq!(names(&tree, "memory"), memory);
        assert_eq!(names(&tree, "cpu"), ["sys/fs/cgroup/cpu,cpuacct/slow", "sys/fs/cgroup/cpu,cpuacct"]);
    }

    #[test]
    fn a_hybrid_has_both() {
        let unified = V2.replace("/sys/fs/cgroup ", "/sys/fs/cgroup/unified ");
        let tree = tree("4:memory:/one\n0::/two\n", &format!("{V1_MEMORY}{unified}"));
        let versions: Vec<_> = groups(tree.path(), "memory").into_iter().map(|group| group.version).collect();
        assert_eq!(versions, [Version::V1, Version::V1, Version::V2, Version::V2]);
    }

    #[test]
    fn a_container_sees_its_own_group_at_the_mount() {
        let tree = tree("4:memory:/docker/abc\n", &V1_MEMORY.replace(" / ", " /docker/abc "));
        assert_eq!(names(&tree, "memory"), ["sys/fs/cgroup/memory"]);
    }

    #[test]
    fn a_path_that_the_mount_does_not_show_falls_back_to_the_mount() {
        for path in ["/../outside", "/docker/abcdef"] {
            let tree = tree(&format!("4:memory:{path}\n"), &V1_MEMORY.replace(" / ", " /docker/abc "));
            assert_eq!(names(&tree, "memory"), ["sys/fs/cgroup/memory"], "{path}");
        }
        assert_eq!(names(&tree("0::/..\n", V2), "memory"), ["sys/fs/cgroup"]);
    }

    #[test]
    fn blanks_in_mount_points_are_unescaped() {
        let tree = tree("0::/a\n", &V2.replace("/sys/fs/cgroup", "/mnt/my\\040groups"));
        assert_eq!(names(&tree, "cpu"), ["mnt/my groups/a", "mnt/my groups"]);
    }

    #[test]
    fn missing_and_garbled_files_mean_no_group() {
        assert_eq!(groups(Tree::new().path(), "memory"), []);
        let lines = ["", "0", "0:", "x:y", "- cgroup2", " - ", "1 2 3 4 - cgroup2", "\u{0}\u{1}"];
        for line in lines {
            assert_eq!(groups(tree(line, V2).path(), "memory"), [], "{line:?}");
            assert_eq!(groups(tree("0::/a", line).path(), "memory"), [], "{line:?}");
        }
    }

    fn group(version: Version, files: &[(&str, &str)]) -> (Tree, Group) {
        let tree = files.iter().fold(Tree::new(), |tree, (name, text)| tree.file(name, text));
        let group = Group { directory: tree.path().into(), version };
        (tree, group)
    }

    #[test]
    fn quotas_are_processors() {
        let of = |version, files: &[_]| group(version, files).1.cpu_quota();
        let v2 = |text| {
            let (_tree, group) = group(Version::V2, &[("cpu.max", text)]);
            group.cpu_quota()
        };
        assert_eq!(v2("150000 100000\n"), Some(1.5));
        for unlimited in ["max 100000\n", "", "150000", "150000 0", "NaN 1", "inf 1", "-1 1"] {
            assert_eq!(v2(unlimited), None, "{unlimited:?}");
        }
        let v1 = |quota| {
            let (_tree, group) = group(Version::V1, &[("cpu.cfs_quota_us", quota), ("cpu.cfs_period_us", "50000\n")]);
            group.cpu_quota()
        };
        assert_eq!((v1("25000\n"), v1("-1\n")), (Some(0.5), None));
        assert_eq!(of(Version::V1, &[]), None);
    }

    #[test]
    fn the_smaller_memory_limit_counts() {
        let v2 = |max, high| {
            let (_tree, group) = group(Version::V2, &[("memory.max", max), ("memory.high", high)]);
            group.memory_limit()
        };
        assert_eq!(v2("1000\n", "max\n"), Some(1000));
        assert_eq!(v2("1000\n", "900\n"), Some(900));
        assert_eq!(v2("max\n", "what\n"), None);
        let v1 = |limit, above| {
            let stat = format!("cache 1\nhierarchical_memory_limit {above}\n");
            let (_tree, group) = group(Version::V1, &[("memory.limit_in_bytes", limit), ("memory.stat", &stat)]);
            group.memory_limit()
        };
        assert_eq!(v1("9223372036854771712\n", "9223372036854771712"), None);
        assert_eq!(v1("9223372036854771712\n", "500"), Some(500));
        assert_eq!(v1("400\n", "500"), Some(400));
    }

    #[test]
    fn version_1_tells_of_groups_around_whether_anything_limits() {
        let is_free = |version, limit| {
            let stat = format!("hierarchical_memory_limit {limit}\n");
            let (_tree, group) = group(version, &[("memory.stat", &stat)]);
            group.is_free_of_limits()
        };
        assert!(is_free(Version::V1, "9223372036854771712"));
        assert!(!is_free(Version::V1, "500") && !is_free(Version::V1, "what"));
        assert!(!is_free(Version::V2, "9223372036854771712"));
    }

    #[test]
    fn files_no_longer_in_use_are_found_by_their_whole_name() {
        let details = "inactive_file 7\ntotal_inactive_file 9\ninactive_filet 1\n";
        assert_eq!(reclaimable(details, Version::V1), 9);
        assert_eq!(reclaimable(details, Version::V2), 7);
        assert_eq!(reclaimable("total_active_file 3", Version::V1), 0);
    }
}
