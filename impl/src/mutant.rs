//! Seeded defects: for each guard of the bus one way to be without it.
//!
//! An obligation that no defect can break proves nothing. So every guard can be taken out by name, and the test of
//! obligation O5 (adequacy) runs each obligation with each of its mutants and demands that it fails.
//!
//! Without the feature `mutants` every question is answered `false` at compile time. With it, the environment
//! variable `LAWSPEAKER_MUTANT` is read once and names at most one mutant.

/// A check of the bus that must notice a mutant. See `docs/testing.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Obligation {
    /// O1: a core, in lock-step with its specification, gives equal answers and states.
    CoreRefinesLaw,
    /// O2: what threads do through a shell, under every interleaving, is lawful in some order.
    ShellLinearizesCore,
    /// O3: a crash at any write or sync loses nothing acknowledged and invents nothing.
    CrashLosesNothing,
}

impl Obligation {
    /// `O1`, `O2` or `O3`.
    pub fn name(self) -> &'static str {
        match self {
            Obligation::CoreRefinesLaw => "O1",
            Obligation::ShellLinearizesCore => "O2",
            Obligation::CrashLosesNothing => "O3",
        }
    }
}

macro_rules! mutants {
    ($($(#[$doc:meta])* $variant:ident = $name:literal without $guard:literal, killed by $obligation:ident;)*) => {
        /// One guard less.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Mutant {
            $($(#[$doc])* $variant,)*
        }

        impl Mutant {
            /// Every mutant.
            pub const ALL: &[Mutant] = &[$(Mutant::$variant),*];

            /// What `LAWSPEAKER_MUTANT` calls it.
            pub fn name(self) -> &'static str {
                match self {
                    $(Mutant::$variant => $name,)*
                }
            }

            /// The guard it takes out, in words.
            pub fn guard(self) -> &'static str {
                match self {
                    $(Mutant::$variant => $guard,)*
                }
            }

            /// The obligation that must fail with it.
            pub fn obligation(self) -> Obligation {
                match self {
                    $(Mutant::$variant => Obligation::$obligation,)*
                }
            }
        }
    };
}

mutants! {
    /// The partition log takes an event though an earlier one of its producer is missing.
    GapAccepted = "gap-accepted"
        without "an append must carry the next sequence number", killed by CoreRefinesLaw;
    /// The partition log takes an event of a producer's old incarnation.
    EpochIgnored = "epoch-ignored"
        without "an append must carry the producer's current epoch", killed by CoreRefinesLaw;
    /// The partition log counts an event as durable when it is appended.
    AckBeforeFlush = "ack-before-flush"
        without "the high watermark follows the flush", killed by CoreRefinesLaw;
    /// The partition log forgets at recovery what producers have sent.
    RecoveryForgetsProducers = "recovery-forgets-producers"
        without "recovery rebuilds the deduplication window", killed by CoreRefinesLaw;
    /// The group takes a commit of a member that has not heard of the current generation.
    CommitWithoutFence = "commit-without-fence"
        without "a commit must carry the current generation", killed by CoreRefinesLaw;
    /// The group lets a committed offset fall.
    CommitRegressionAccepted = "commit-regression-accepted"
        without "a commit below the committed offset is refused", killed by CoreRefinesLaw;
    /// The group gives a partition to its next owner while the last one still works on it.
    AssignBeforeRelease = "assign-before-release"
        without "a partition waits for its owner to release it", killed by CoreRefinesLaw;
    /// The inbox looks at no causes.
    CausesUnchecked = "causes-unchecked"
        without "an event waits for its causes", killed by CoreRefinesLaw;
    /// The inbox looks at one cause of an event, not at all of them.
    OneCauseChecked = "one-cause-checked"
        without "an event waits for all of its causes", killed by CoreRefinesLaw;
    /// The inbox waits for causes that it will never be sent.
    WaitsForUnsubscribed = "waits-for-unsubscribed"
        without "causes in partitions that are not read are not waited for", killed by CoreRefinesLaw;
    /// The inbox waits for the event itself where its clock counts it already.
    WaitsForItself = "waits-for-itself"
        without "an event does not wait for itself", killed by CoreRefinesLaw;
    /// The inbox takes an event again that it has delivered.
    DuplicateDelivered = "duplicate-delivered"
        without "what was delivered is dropped when it comes again", killed by CoreRefinesLaw;
    /// The inbox does not look again at what waits when something was delivered.
    DeliveryUnlocksNothing = "delivery-unlocks-nothing"
        without "after a delivery the events that waited for it are looked at again", killed by CoreRefinesLaw;
    /// The inbox holds any number of events.
    BoundIgnored = "bound-ignored"
        without "a full inbox refuses", killed by CoreRefinesLaw;
    /// The inbox, full, says that it has taken an event and drops it.
    FullInboxDrops = "full-inbox-drops"
        without "a full inbox says that it refuses", killed by CoreRefinesLaw;
    /// The inbox, full of events that wait, refuses the one that they wait for.
    FullInboxRefusesAll = "full-inbox-refuses-all"
        without "a full inbox takes what it waits for", killed by CoreRefinesLaw;
    /// The service's inbox takes an event again that it has handled.
    InboxUnchecked = "inbox-unchecked"
        without "an event that was handled does nothing when it comes again (inbox)", killed by CoreRefinesLaw;
    /// The service's inbox forgets events while they may still come again.
    InboxForgetsEarly = "inbox-forgets-early"
        without "the inbox remembers an event as long as it was told to (inbox-keep)", killed by CoreRefinesLaw;
    /// The service decides again on an event that it has refused.
    InboxForgetsRefusals = "inbox-forgets-refusals"
        without "a refusal is remembered (remember-refusal)", killed by CoreRefinesLaw;
    /// The service handles an event that its cancellation overtook.
    TombstoneForgotten = "tombstone-forgotten"
        without "what was called off does nothing when it comes (tombstone)", killed by CoreRefinesLaw;
    /// A relay goes on although another one has taken over.
    RelayNotFenced = "relay-not-fenced"
        without "a new relay fences those before it (single-relay)", killed by CoreRefinesLaw;
    /// The relay publishes the events of a change that is not durable.
    RelayReadsAhead = "relay-reads-ahead"
        without "an event is published when its change is durable", killed by CoreRefinesLaw;
    /// The shell does not tell those who wait that something became durable.
    LostWakeUp = "lost-wake-up"
        without "waiters are notified of every change", killed by ShellLinearizesCore;
    /// The shell does not tell those who wait that it was closed.
    CloseForgetsWaiters = "close-forgets-waiters"
        without "waiters are notified of the close", killed by ShellLinearizesCore;
    /// A reader may see the new high watermark and not the index slots below it.
    RelaxedPublish = "relaxed-publish"
        without "the high watermark is stored with Release", killed by ShellLinearizesCore;
    /// A read returns one event more than is durable.
    ReadPastHighWatermark = "read-past-high-watermark"
        without "a read ends at the high watermark", killed by ShellLinearizesCore;
    /// Another append may come between the check for a duplicate and the append.
    DedupCheckThenAct = "dedup-check-then-act"
        without "the check for duplicates and the append are one critical section", killed by ShellLinearizesCore;
    /// A rebalance may come between the check of the generation and the commit.
    CommitCheckThenAct = "commit-check-then-act"
        without "the check of the generation and the commit are one critical section", killed by ShellLinearizesCore;
    /// The group acknowledges a commit that is not durable.
    CommitBeforeSync = "commit-before-sync"
        without "the group answers when what it tells is durable", killed by ShellLinearizesCore;
    /// A sync that failed is tried again, and its success is believed.
    FailedSyncRetried = "failed-sync-retried"
        without "a journal that failed once is given up", killed by ShellLinearizesCore;
    /// A member that gets a partition back goes on where it stood, not at the committed offset.
    RejoinKeepsPosition = "rejoin-keeps-position"
        without "a member that gains a partition starts at the committed offset", killed by ShellLinearizesCore;
    /// A member commits what it has polled, whether it was handled or not.
    CommitBeforeProcess = "commit-before-process"
        without "a member commits only what was handled", killed by ShellLinearizesCore;
    /// A member goes on behind an event that it could not process.
    PutBackForgotten = "put-back-forgotten"
        without "what could not be processed is polled again (stop-on-failure)", killed by ShellLinearizesCore;
    /// A producer that does not know what became of an event sends it as a new one.
    RetryAsNew = "retry-as-new"
        without "a retry carries the sequence number of the first attempt", killed by ShellLinearizesCore;
    /// The inbox does not tell those who wait that an event has come.
    ArrivalWakesNobody = "arrival-wakes-nobody"
        without "an arrival wakes those who wait", killed by ShellLinearizesCore;
    /// The inbox does not tell those who wait that a delivery has made another event ready.
    DeliveryWakesNobody = "delivery-wakes-nobody"
        without "a delivery wakes those who wait for what it makes ready", killed by ShellLinearizesCore;
    /// The inbox does not tell those who wait that it was closed.
    InboxCloseWakesNobody = "inbox-close-wakes-nobody"
        without "the close of an inbox wakes those who wait", killed by ShellLinearizesCore;
    /// Another delivery may come between the choice of an event and its delivery.
    DeliveryCheckThenAct = "delivery-check-then-act"
        without "the choice of an event and its delivery are one critical section", killed by ShellLinearizesCore;
    /// A service tells of its last event only, not of what happened before.
    ContextForgetsPast = "context-forgets-past"
        without "an event carries all of its sender's past", killed by ShellLinearizesCore;
    /// Another transaction may come between the check of a service's inbox and the mark.
    InboxCheckThenAct = "inbox-check-then-act"
        without "the check of the inbox and its mark are one critical section (inbox-atomic)",
        killed by ShellLinearizesCore;
    /// The service does not tell a waiting relay that it was closed.
    OutboxCloseWakesNobody = "outbox-close-wakes-nobody"
        without "the close of a service wakes its relay", killed by ShellLinearizesCore;
    /// The change is one record and what it owes is another.
    OutboxWrittenApart = "outbox-written-apart"
        without "a change and the events that it owes are one record (atomic-outbox)", killed by CrashLosesNothing;
    /// The effect is one record and the mark of its event is another.
    InboxMarkedApart = "inbox-marked-apart"
        without "an effect and the mark of its event are one record (inbox-atomic)", killed by CrashLosesNothing;
    /// The relay marks an event and publishes it then.
    MarkBeforePublish = "mark-before-publish"
        without "the relay marks what was acknowledged (mark-after-publish)", killed by CrashLosesNothing;
    /// The handler commits an event's offset before its effect.
    AckBeforeEffect = "ack-before-effect"
        without "an offset is committed when the effect is durable (ack-after-effect)", killed by CrashLosesNothing;
    /// An event that cannot be handled is passed over.
    PoisonDropped = "poison-dropped"
        without "what cannot be handled goes to the dead letters", killed by CrashLosesNothing;
    /// Recovery forgets the last record of a segment.
    RecoveryOffByOne = "recovery-off-by-one"
        without "recovery keeps every valid record", killed by CrashLosesNothing;
    /// Recovery leaves a torn tail in the file, and new records are written behind it.
    TornTailKept = "torn-tail-kept"
        without "recovery cuts a torn tail off", killed by CrashLosesNothing;
    /// Recovery believes every record, whatever its checksum.
    ChecksumIgnored = "checksum-ignored"
        without "a record is one only with its checksum", killed by CrashLosesNothing;
    /// A new segment's bytes are synced, its name is not.
    DirectoryNotSynced = "directory-not-synced"
        without "the directory is synced before a new segment takes records", killed by CrashLosesNothing;
    /// Recovery builds on bytes that only the operating system holds.
    RecoveredNotSynced = "recovered-not-synced"
        without "recovery syncs what it found", killed by CrashLosesNothing;
    /// A causal producer sends an effect while its cause is not acknowledged.
    BarrierNotAwaited = "barrier-not-awaited"
        without "an effect is sent when its causes are acknowledged (ack-barrier)", killed by CrashLosesNothing;
    /// A new segment is begun while the one before it is not durable.
    RollBeforeSync = "roll-before-sync"
        without "a segment is synced before the next one is begun", killed by CrashLosesNothing;
    /// A step after the pivot, or the pivot, is given up as if it could be undone.
    PivotGivenUp = "pivot-given-up"
        without "the pivot and what follows it are asked for until their outcome is known (pivot-discipline)",
        killed by CoreRefinesLaw;
    /// A compensation that failed counts as done.
    FailedUndoBelieved = "failed-undo-believed"
        without "a compensation is asked for until it is done (compensation-retry)", killed by CoreRefinesLaw;
    /// A saga compensates its first step first.
    OldestUndoneFirst = "oldest-undone-first"
        without "compensations run in reverse order of their steps (reverse-order)", killed by CoreRefinesLaw;
    /// A step that was given up counts as not done.
    UnknownNotUndone = "unknown-not-undone"
        without "a step of unknown outcome is compensated too (compensate-unknown)", killed by CoreRefinesLaw;
    /// Any reply of a step is taken for the answer to what was asked last.
    ReplyUncorrelated = "reply-uncorrelated"
        without "a reply is taken for the answer to the command that it names (correlate-replies)",
        killed by CoreRefinesLaw;
    /// An executor that a newer one has replaced still writes.
    StaleExecutorAccepted = "stale-executor-accepted"
        without "only the newest executor of a saga log may write", killed by CoreRefinesLaw;
    /// A participant does a step again that it has done.
    StepDoneAgain = "step-done-again"
        without "a participant that is asked again answers as it did (idempotent-forward)", killed by CoreRefinesLaw;
    /// A participant compensates a step again.
    StepUndoneAgain = "step-undone-again"
        without "a participant compensates a step once (idempotent-compensation)", killed by CoreRefinesLaw;
    /// A participant forgets a cancellation of what it has not done.
    NoTombstone = "no-tombstone"
        without "a step whose compensation came first is refused (tombstone)", killed by CoreRefinesLaw;
    /// A participant decides anew what it has refused.
    RefusalForgotten = "refusal-forgotten"
        without "a refusal is remembered", killed by CoreRefinesLaw;
    /// Another executor may claim the log between the check of the epoch and the record.
    FenceCheckThenAct = "fence-check-then-act"
        without "the check of an executor's epoch and its record are one critical section",
        killed by ShellLinearizesCore;
    /// A compensation may come between the check of a step and its effect.
    StepCheckThenAct = "step-check-then-act"
        without "what a participant decides and what it writes down are one critical section",
        killed by ShellLinearizesCore;
    /// An executor acts on what the log does not hold for certain.
    AskedBeforeSync = "asked-before-sync"
        without "a decision is durable before anybody acts on it (persist-first)", killed by CrashLosesNothing;
    /// A participant answers before its effect is durable.
    DoneBeforeSync = "done-before-sync"
        without "a participant answers when its effect is durable", killed by CrashLosesNothing;
    /// An executor that is opened leaves alone the sagas that it finds.
    OpenSagasForgotten = "open-sagas-forgotten"
        without "an executor goes on with every saga that has not ended (recover)", killed by CrashLosesNothing;
}

/// Whether the process runs with `mutant`.
#[cfg(not(feature = "mutants"))]
pub(crate) const fn is_seeded(_mutant: Mutant) -> bool {
    false
}

/// Whether the process runs with `mutant`.
///
/// # Panics
/// If `LAWSPEAKER_MUTANT` names no mutant: a misspelt name would pass for one that nothing kills.
#[cfg(feature = "mutants")]
pub(crate) fn is_seeded(mutant: Mutant) -> bool {
    use std::sync::OnceLock;
    static SEEDED: OnceLock<Option<Mutant>> = OnceLock::new();
    *SEEDED.get_or_init(from_environment) == Some(mutant)
}

#[cfg(feature = "mutants")]
fn from_environment() -> Option<Mutant> {
    let name = std::env::var("LAWSPEAKER_MUTANT").ok()?;
    let named = Mutant::ALL.iter().copied().find(|mutant| mutant.name() == name);
    let names = || Mutant::ALL.iter().map(|mutant| mutant.name()).collect::<Vec<_>>().join(", ");
    Some(named.unwrap_or_else(|| panic!("no mutant is called `{name}`; there are: {}", names())))
}
