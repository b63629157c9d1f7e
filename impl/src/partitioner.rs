//! Which partition a key belongs to.

use crate::id::PartitionNumber;

/// The partition of `key` among `partition_count`: the same for ever, on every machine, as long as the count stays.
///
/// FNV-1a, 64 bits, modulo the count. A standard-library hasher would not do: it may change with the compiler, and
/// then the events of one key part ways (guard `stable-partitioner`). O(length of the key).
///
/// # Panics
/// If `partition_count` is 0.
pub fn partition_of(key: &str, partition_count: u32) -> PartitionNumber {
    assert!(partition_count > 0, "a topic has at least one partition");
    let fold = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    let hash = key.bytes().fold(0xcbf2_9ce4_8422_2325, fold);
    PartitionNumber(u32::try_from(hash % u64::from(partition_count)).expect("less than a `u32`"))
}

#[cfg(test)]
mod tests {
    use quickcheck::quickcheck;

    use super::*;

    quickcheck! {
        fn every_key_has_a_partition_of_the_topic(key: String, partition_count: u32) -> bool {
            let partition_count = partition_count.max(1);
            partition_of(&key, partition_count).0 < partition_count
        }

        fn a_key_keeps_its_partition(key: String, partition_count: u32) -> bool {
            let partition_count = partition_count.max(1);
            partition_of(&key, partition_count) == partition_of(&key.clone(), partition_count)
        }
    }

    #[test]
    fn the_partition_of_a_key_never_changes_between_versions() {
        // 0x85944171f73967e8 is the published FNV-1a of "foobar", and 968 its remainder.
        assert_eq!(partition_of("foobar", 1_000), PartitionNumber(968));
    }
}
