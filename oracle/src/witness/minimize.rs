//! Delta debugging: takes away what is not needed.

/// The smallest part of `kept` that passes `test`, as far as single ones can tell, and whether the search came to its
/// end. `kept` itself passes; `test` answers `None` to end the search.
///
/// What is left is 1-minimal: without any one of its members it does not pass. O(n log n) tests where most can go,
/// O(n²) at worst.
pub(super) fn minimize(
    mut kept: Vec<usize>,
    mut test: impl FnMut(&[usize]) -> Option<bool>,
) -> (Vec<usize>, bool) {
    let mut chunk = kept.len().div_ceil(2).max(1);
    loop {
        let mut is_less = false;
        let mut from = 0;
        while from < kept.len() {
            let to = (from + chunk).min(kept.len());
            let without = [&kept[..from], &kept[to..]].concat();
            match test(&without) {
                None => return (kept, false),
                Some(true) => (kept, is_less) = (without, true),
                Some(false) => from = to,
            }
        }
        match chunk {
            1 if !is_less => return (kept, true),
            1 => {}
            _ => chunk = chunk.div_ceil(2),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minimal(count: usize, passes: impl Fn(&[usize]) -> bool) -> Vec<usize> {
        let (kept, is_minimal) = minimize((0..count).collect(), |part| Some(passes(part)));
        assert!(is_minimal);
        kept
    }

    #[test]
    fn what_is_needed_stays_wherever_it_stands() {
        assert_eq!(minimal(1000, |part| [3, 500, 999].iter().all(|n| part.contains(n))), [3, 500, 999]);
        assert_eq!(minimal(1, |part| part.contains(&0)), [0]);
        assert_eq!(minimal(7, |_| true), [0_usize; 0]);
    }

    #[test]
    fn one_that_can_go_only_after_a_later_one_goes_too() {
        let passes = |part: &[usize]| part.contains(&2) && (part.contains(&0) || !part.contains(&1));
        assert_eq!(minimal(3, passes), [2]);
    }

    #[test]
    fn a_search_that_is_ended_says_that_it_may_not_be_minimal() {
        let mut runs = 0;
        let (kept, is_minimal) = minimize((0..100).collect(), |part| {
            runs += 1;
            (runs <= 2).then(|| part.contains(&99))
        });
        assert!(!is_minimal && kept.contains(&99) && kept.len() < 100);
    }
}
