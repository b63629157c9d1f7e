--------------------------- MODULE ConsumerGroup ---------------------------
(* A consumer group: the twin of model/src/consumer_group.rs, with the same variables, actions, guards and guarantees,
   and equal counts of states (manifest.json).

   Members share the partitions of a topic, process its events and commit how far they are. The coordinator knows who
   owns which partition, in which generation, and what was committed. Members may crash, be slow until their session
   ends, fail to process an event, or lose a partition to a rebalance; a slow one does not know that the group went on.

   Assumed: the log is given and complete; calls to the coordinator are one step each; at least one member stays alive.
   Faults are budgeted; recovery is not.
   Left out: heartbeats and time (a session may end at any moment, which covers every timing), batches (a member has one
   event in hand), the strategy of assignment (a rebalance may move any partition to any live member).
   Everything counts from 0, as offsets do; sequences of TLA+ start at 1, hence every `+ 1` between brackets. *)
EXTENDS Naturals, Sequences

CONSTANTS MemberCount, PartitionCount, EventCount,
          Rebalances, Crashes, Timeouts, Failures, Expiries,
          None  \* an empty hand

(* The guards; each can be removed. *)
CONSTANTS CommitAfterProcess, StopOnFailure, Dedup, FenceCommit, FenceEffect, RevokeDrop, ResetToCommitted,
          RevokeBarrier, KeepOffsets, SessionTimeout

ASSUME /\ MemberCount \in 1..4 /\ PartitionCount \in 1..4 /\ EventCount \in 1..8
       /\ {Rebalances, Crashes, Timeouts, Failures, Expiries} \subseteq Nat

Members == 0..(MemberCount - 1)
Partitions == 0..(PartitionCount - 1)

VARIABLES
    generation,  \* the current one
    owners,      \* who owns each partition, as the coordinator sees it
    targets,     \* who is to own each partition
    committed,   \* for each partition, the next offset to process
    members,     \* as each sees itself, and whether the coordinator still counts it
    effects,     \* how often each event's effect happened; what a deduplicating effect looks at
    budget,      \* faults to come
    ghost        \* the highest offsets ever committed, and whether a stale member got its way; no guard reads it

vars == <<generation, owners, targets, committed, members, effects, budget, ghost>>

-----------------------------------------------------------------------------
Max(one, other) == IF one < other THEN other ELSE one
Min(one, other) == IF one < other THEN one ELSE other

Member(m) == members[m + 1]
Owner(p) == owners[p + 1]
Target(p) == targets[p + 1]
Committed(p) == committed[p + 1]
Effects(hand) == effects[hand.partition + 1][hand.offset + 1]

IsLive(m) == Member(m).is_up /\ Member(m).is_counted
HasLivePeer(m) == {peer \in Members \ {m} : IsLive(peer)} # {}
IsStale(m) == ~Member(m).is_counted \/ Member(m).generation # generation

(* What a member is to hold, and what it holds on to when it asks. *)
IsToHold(m, p) == Owner(p) = m /\ Target(p) = m
Keeps(m, p) == Member(m).owns[p + 1] /\ Member(m).is_counted /\ IsToHold(m, p)
MustRelease(m, p) == Owner(p) = m /\ Target(p) # m
Loses(m, p) == MustRelease(m, p) \/ (Member(m).owns[p + 1] /\ ~Keeps(m, p))
Takes(m, p) == IsToHold(m, p) /\ ~Keeps(m, p)

(* Whether asking the coordinator would tell the member nothing. *)
IsUpToDate(m) ==
    ~IsStale(m) /\ \A p \in Partitions : Member(m).owns[p + 1] = IsToHold(m, p) /\ ~MustRelease(m, p)

(* The member lets go of what it has in hand and will read it again. *)
PutBack(m) ==
    LET hand == Member(m).hand
    IN  members' = [members EXCEPT ![m + 1].hand = None, ![m + 1].positions[hand.partition + 1] = hand.offset]

-----------------------------------------------------------------------------
Init ==
    LET first(p) == p % MemberCount
        each(value) == [p \in 1..PartitionCount |-> value]
    IN  /\ generation = 1
        /\ owners = [p \in 1..PartitionCount |-> first(p - 1)] /\ targets = owners
        /\ committed = each(0)
        /\ members = [m \in 1..MemberCount |->
                         [is_up |-> TRUE, is_counted |-> TRUE, generation |-> 1, positions |-> each(0), hand |-> None,
                          owns |-> [p \in 1..PartitionCount |-> first(p - 1) = m - 1]]]
        /\ effects = each([offset \in 1..EventCount |-> 0])
        /\ budget = [rebalances |-> Rebalances, crashes |-> Crashes, timeouts |-> Timeouts, failures |-> Failures,
                     expiries |-> Expiries]
        /\ ghost = [highest_committed |-> each(0), has_accepted_stale |-> FALSE]

(* Guards revoke-drop and reset-to-committed: the member gives up what it lost and takes what it got. *)
Sync(m) ==
    LET was == Member(m)
        drops == RevokeDrop /\ was.hand # None /\ Loses(m, was.hand.partition)
        position(p) == IF Takes(m, p) /\ ResetToCommitted THEN Committed(p) ELSE was.positions[p + 1]
    IN  /\ was.is_up /\ ~IsUpToDate(m)
        /\ members' = [members EXCEPT ![m + 1] =
                          [was EXCEPT !.is_counted = TRUE, !.generation = generation,
                                      !.owns = [p \in DOMAIN @ |-> IsToHold(m, p - 1)],
                                      !.positions = [p \in DOMAIN @ |-> position(p - 1)],
                                      !.hand = IF drops THEN None ELSE @]]
        /\ owners' = [p \in DOMAIN owners |-> IF MustRelease(m, p - 1) THEN Target(p - 1) ELSE owners[p]]
        /\ UNCHANGED <<generation, targets, committed, effects, budget, ghost>>

Poll(m, p) ==
    LET offset == Member(m).positions[p + 1]
        hand == [partition |-> p, offset |-> offset, is_handled |-> FALSE, is_committed |-> FALSE]
    IN  /\ Member(m).is_up /\ Member(m).hand = None /\ Member(m).owns[p + 1] /\ offset < EventCount
        /\ members' = [members EXCEPT ![m + 1].hand = hand, ![m + 1].positions[p + 1] = offset + 1]
        /\ UNCHANGED <<generation, owners, targets, committed, effects, budget, ghost>>

(* Guards fence-effect and dedup. *)
Handle(m) ==
    LET hand == Member(m).hand
        happens == Effects(hand) = 0 \/ ~Dedup
        isLoser == IsStale(m) /\ Owner(hand.partition) # m
    IN  /\ hand # None /\ ~hand.is_handled
        /\ IF FenceEffect /\ IsStale(m)
           THEN PutBack(m) /\ UNCHANGED <<effects, ghost>>
           ELSE /\ effects' = IF happens THEN [effects EXCEPT ![hand.partition + 1][hand.offset + 1] = Min(@ + 1, 2)]
                              ELSE effects
                /\ ghost' = [ghost EXCEPT !.has_accepted_stale = @ \/ (happens /\ isLoser)]
                /\ members' = [members EXCEPT ![m + 1].hand =
                                  IF hand.is_committed THEN None ELSE [hand EXCEPT !.is_handled = TRUE]]
        /\ UNCHANGED <<generation, owners, targets, committed, budget>>

(* Guards commit-after-process and fence-commit. *)
Commit(m) ==
    LET hand == Member(m).hand
        next == hand.offset + 1
        isLoser == IsStale(m) /\ Owner(hand.partition) # m
    IN  /\ hand # None /\ ~hand.is_committed /\ (CommitAfterProcess => hand.is_handled)
        /\ IF FenceCommit /\ IsStale(m)
           THEN PutBack(m) /\ UNCHANGED <<committed, ghost>>
           ELSE /\ committed' = [committed EXCEPT ![hand.partition + 1] = next]
                /\ ghost' = [highest_committed |->
                                [ghost.highest_committed EXCEPT ![hand.partition + 1] = Max(@, next)],
                             has_accepted_stale |-> ghost.has_accepted_stale \/ isLoser]
                /\ members' = [members EXCEPT ![m + 1].hand =
                                  IF hand.is_handled THEN None ELSE [hand EXCEPT !.is_committed = TRUE]]
        /\ UNCHANGED <<generation, owners, targets, effects, budget>>

(* What a member that is no longer counted owned or was to own goes to the next live one. *)
Leave(m) ==
    LET after(step) == (m + step) % MemberCount
        steps == {step \in 1..(MemberCount - 1) : IsLive(after(step))}
        heir == IF steps = {} THEN m ELSE after(CHOOSE step \in steps : \A other \in steps : step <= other)
        newTarget(p) == IF Target(p) = m THEN heir ELSE Target(p)
    IN  /\ generation' = generation + 1
        /\ members' = [members EXCEPT ![m + 1].is_counted = FALSE]
        /\ targets' = [p \in DOMAIN targets |-> newTarget(p - 1)]
        /\ owners' = [p \in DOMAIN owners |-> IF owners[p] = m THEN newTarget(p - 1) ELSE owners[p]]
        /\ UNCHANGED <<committed, effects, ghost>>

(* Guard session-timeout. *)
EndSession(m) ==
    /\ SessionTimeout /\ ~Member(m).is_up /\ Member(m).is_counted
    /\ Leave(m) /\ UNCHANGED budget

-----------------------------------------------------------------------------
(* Faults: nothing may rely on their happening. *)
Restart(m) ==
    /\ ~Member(m).is_up /\ ~Member(m).is_counted
    /\ members' = [members EXCEPT ![m + 1].is_up = TRUE]
    /\ UNCHANGED <<generation, owners, targets, committed, effects, budget, ghost>>

(* Guard stop-on-failure. *)
Fail(m) ==
    LET hand == Member(m).hand
    IN  /\ budget.failures > 0 /\ hand # None /\ ~hand.is_handled
        /\ IF StopOnFailure THEN PutBack(m)
           ELSE members' = [members EXCEPT ![m + 1].hand =
                               IF hand.is_committed THEN None ELSE [hand EXCEPT !.is_handled = TRUE]]
        /\ budget' = [budget EXCEPT !.failures = @ - 1]
        /\ UNCHANGED <<generation, owners, targets, committed, effects, ghost>>

Crash(m) ==
    /\ budget.crashes > 0 /\ Member(m).is_up /\ HasLivePeer(m)
    /\ members' = [members EXCEPT ![m + 1] =
                      [@ EXCEPT !.is_up = FALSE, !.hand = None, !.owns = [p \in 1..PartitionCount |-> FALSE],
                                !.positions = [p \in 1..PartitionCount |-> 0]]]
    /\ budget' = [budget EXCEPT !.crashes = @ - 1]
    /\ UNCHANGED <<generation, owners, targets, committed, effects, ghost>>

Timeout(m) ==
    /\ budget.timeouts > 0 /\ IsLive(m) /\ HasLivePeer(m)
    /\ Leave(m) /\ budget' = [budget EXCEPT !.timeouts = @ - 1]

(* Guard revoke-barrier. *)
Rebalance(p, m) ==
    /\ budget.rebalances > 0 /\ IsLive(m) /\ Target(p) # m
    /\ generation' = generation + 1
    /\ targets' = [targets EXCEPT ![p + 1] = m]
    /\ owners' = IF RevokeBarrier THEN owners ELSE [owners EXCEPT ![p + 1] = m]
    /\ budget' = [budget EXCEPT !.rebalances = @ - 1]
    /\ UNCHANGED <<committed, members, effects, ghost>>

(* Guard keep-offsets. *)
Expire(p) ==
    /\ budget.expiries > 0 /\ Committed(p) > 0
    /\ committed' = IF KeepOffsets THEN committed ELSE [committed EXCEPT ![p + 1] = 0]
    /\ budget' = [budget EXCEPT !.expiries = @ - 1]
    /\ UNCHANGED <<generation, owners, targets, members, effects, ghost>>

-----------------------------------------------------------------------------
Progresses == \E m \in Members : \/ Sync(m) \/ Handle(m) \/ Commit(m) \/ EndSession(m)
                                 \/ \E p \in Partitions : Poll(m, p)

Fails == \/ \E m \in Members : Restart(m) \/ Fail(m) \/ Crash(m) \/ Timeout(m)
         \/ \E p \in Partitions : Expire(p) \/ \E m \in Members : Rebalance(p, m)

Next == Progresses \/ Fails

(* Each member's next step of a kind is fair by itself. *)
Fairness ==
    \A m \in Members : /\ WF_vars(Sync(m)) /\ WF_vars(Handle(m)) /\ WF_vars(Commit(m)) /\ WF_vars(EndSession(m))
                       /\ \A p \in Partitions : WF_vars(Poll(m, p))

Spec == Init /\ [][Next]_vars /\ Fairness
UnfairSpec == Init /\ [][Next]_vars

-----------------------------------------------------------------------------
Hands == [partition : Partitions, offset : 0..(EventCount - 1), is_handled : BOOLEAN, is_committed : BOOLEAN]

ConsumerGroupTypeInv ==
    LET byPartition(values) == [1..PartitionCount -> values]
    IN  /\ generation \in Nat
        /\ owners \in byPartition(Members) /\ targets \in byPartition(Members)
        /\ committed \in byPartition(0..EventCount)
        /\ \A m \in Members :
               /\ Member(m).is_up \in BOOLEAN /\ Member(m).is_counted \in BOOLEAN
               /\ Member(m).generation \in 1..generation
               /\ Member(m).owns \in byPartition(BOOLEAN) /\ Member(m).positions \in byPartition(0..EventCount)
               /\ Member(m).hand \in Hands \union {None}
        /\ effects \in byPartition([1..EventCount -> 0..2])
        /\ \A kind \in DOMAIN budget : budget[kind] \in Nat
        /\ ghost.highest_committed \in byPartition(0..EventCount) /\ ghost.has_accepted_stale \in BOOLEAN

IsProcessed == \A p \in Partitions : \A offset \in 1..EventCount : effects[p + 1][offset] > 0
IsCommitted == \A p \in Partitions : Committed(p) = EventCount
IsDone == IsProcessed /\ IsCommitted

(* When nothing but faults can happen any more. *)
IsQuiescent == ~ENABLED <<Progresses>>_vars

AtLeastOnceInv ==
    /\ \A p \in Partitions : \A offset \in 1..Committed(p) : effects[p + 1][offset] > 0
    /\ IsQuiescent => IsProcessed

(* First effects happen in the order of offsets exactly if no processed event has an unprocessed one before it. *)
PartitionOrderInv ==
    \A p \in Partitions : \A offset \in 2..EventCount : effects[p + 1][offset] > 0 => effects[p + 1][offset - 1] > 0

CommitMonotonicityInv == \A p \in Partitions : Committed(p) >= ghost.highest_committed[p + 1]

EffectOnceInv == \A p \in Partitions : \A offset \in 1..EventCount : effects[p + 1][offset] <= 1

(* Of the members that the coordinator counts, one at most believes to own a partition; the others are refused. *)
SingleOwnerInv ==
    /\ ~ghost.has_accepted_stale
    /\ \A p \in Partitions, one, other \in Members :
           (IsLive(one) /\ IsLive(other) /\ Member(one).owns[p + 1] /\ Member(other).owns[p + 1]) => one = other

NoDeadlockInv == IsQuiescent => IsCommitted

AtLeastOnceProp == <>IsDone

-----------------------------------------------------------------------------
(* Witnesses: each must be violated, or the invariants hold for want of anything happening. *)
IsThrough(m) == Member(m).hand # None /\ Member(m).hand.is_handled
Rewinds(m) ==
    \E p \in 1..PartitionCount :
        /\ Member(m)'.owns[p] /\ ~Member(m).owns[p]
        /\ Member(m)'.positions[p] < Member(m).positions[p]

DebugNotEverythingIsCommitted == ~IsDone
DebugNoEffectIsRefused == [][~\E m \in Members : IsStale(m) /\ Handle(m) /\ UNCHANGED effects]_vars
DebugNoCommitIsRefused == [][~\E m \in Members : IsStale(m) /\ Commit(m) /\ UNCHANGED committed]_vars
DebugNothingIsProcessedAgain == [][~\E m \in Members : Handle(m) /\ IsThrough(m)' /\ UNCHANGED effects]_vars
DebugNobodyRewinds == [][~\E m \in Members : Sync(m) /\ Rewinds(m)]_vars
DebugNothingWaitsForItsOwner == owners = targets
DebugNothingIsInherited == [][~\E m \in Members : EndSession(m) /\ owners' # owners]_vars
=============================================================================
