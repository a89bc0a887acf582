//! Which option was meant by a name that none has. Knows names, and not what options take.

/// What options are called elsewhere, where that looks nothing like their names here.
const SYNONYMS: [(&str, &str); 17] = [
    ("workers", "threads"),
    ("num_threads", "threads"),
    ("max_threads", "threads"),
    ("jobs", "threads"),
    ("parallelism", "threads"),
    ("concurrency", "threads"),
    ("chunks", "chunk_size"),
    ("batch", "chunk_size"),
    ("batch_size", "chunk_size"),
    ("window", "buffer_size"),
    ("capacity", "buffer_size"),
    ("queue_size", "buffer_size"),
    ("samples", "sample_size"),
    ("preserve_order", "ordered"),
    ("memory_limit", "memory_threshold"),
    ("blocking", "pool"),
    ("path", "crate"),
];

/// What is said of an option that is not among `names`.
pub(crate) fn unknown(name: &str, names: &[&str]) -> String {
    match closest(name, names) {
        Some(option) => format!("there is no option `{name}`; did you mean `{option}`?"),
        None => format!("there is no option `{name}`; the options are {}", names.join(", ")),
    }
}

/// The option that was most likely meant: the one that has this name elsewhere, the one with the fewest differences, if
/// they are few, or one that `name` is a part of.
fn closest<'a>(name: &str, options: &[&'a str]) -> Option<&'a str> {
    if let Some((_, option)) = SYNONYMS.iter().find(|(synonym, _)| *synonym == name) {
        return Some(option);
    }
    let nearest = *options.iter().min_by_key(|option| distance(name, option))?;
    let similar = distance(name, nearest) <= 1 + name.len() / 4;
    let longer = || options.iter().copied().find(|option| name.len() >= 4 && option.contains(name));
    if similar { Some(nearest) } else { longer() }
}

/// Levenshtein's: insertions, deletions and replacements that turn one word into the other.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in other.chars().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    *row.last().unwrap_or(&0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_meant_is_found() {
        let meant = [
            ("thread", Some("threads")),
            ("chunksize", Some("chunk_size")),
            ("order", Some("ordered")),
            ("buffer", Some("buffer_size")),
            ("blocking_threads", Some("max_blocking_threads")),
            ("online_lerning", Some("online_learning")),
            ("speed", None),
            ("a", None),
            ("memory", Some("memory_threshold")),
            ("workers", Some("threads")),
            ("chunks", Some("chunk_size")),
            ("num_threads", Some("threads")),
        ];
        for (name, option) in meant {
            assert_eq!(closest(name, &crate::args::names()), option, "{name}");
        }
    }

    #[test]
    fn distances() {
        assert_eq!(["", "abc", "abd", "bc", "xabc", "cba"].map(|word| distance("abc", word)), [3, 0, 1, 1, 1, 2]);
    }
}
