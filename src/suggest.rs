//! "Did you mean …?"

/// The known name nearest to `name`, as a hint to append to an error; empty if none is near.
pub(crate) fn hint<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    const NEAR: f64 = 0.7;
    let rated = known.into_iter().map(|candidate| (strsim::jaro_winkler(name, candidate), candidate));
    match rated.max_by(|a, b| a.0.total_cmp(&b.0)) {
        Some((likeness, candidate)) if likeness >= NEAR => format!("; did you mean `{candidate}`?"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::hint;

    #[test]
    fn a_misspelt_name_finds_its_neighbour() {
        let known = ["consumer-group", "partition-log"];
        assert_eq!(hint("consumer-gruop", known), "; did you mean `consumer-group`?");
        assert_eq!(hint("zzz", known), "");
    }
}
