----------------------------- MODULE Isolation -----------------------------
(* Sagas that run at the same time on shared records: the twin of model/src/isolation.rs, with the same variables,
   actions, guards and guarantees, and equal counts of states (manifest.json).

   Each saga updates every record but one, one a step, and each step is a local transaction that is there for all to see
   at once; sagas leave out different records. A saga that cannot go on compensates its steps in reverse order. A
   semantic lock marks a record whose last write may yet be compensated. A record holds the writes of sagas in their
   order; its value is their number.

   Assumed: a step reads what it updates in its own transaction. That a saga fails is a fault: nothing may rely on it.
   Left out: lost commands, repeats and crashes (Saga.tla), pivots, sagas that share no record, giving up a lock that
   one waits for.
   Everything counts from 0; sequences of TLA+ start at 1, hence every `+ 1` between brackets. *)
EXTENDS Naturals, Sequences

CONSTANTS SagaCount, RecordCount,
          Readers,  \* sagas whose steps read what they update: the first ones; the others only add to it
          Failures,
          None  \* an open lock

(* The guards; each can be removed. *)
CONSTANTS SemanticLock, LockOrder, DeltaUndo

ASSUME SagaCount \in 1..4 /\ RecordCount \in 2..4 /\ Readers \in 0..4 /\ Failures \in Nat

Sagas == 0..(SagaCount - 1)
Records == 0..(RecordCount - 1)
StepCount == RecordCount - 1

VARIABLES
    records,  \* for each record, the sagas whose writes it holds, in order, and the saga that has locked it
    sagas,    \* for each saga, where it stands, and what each record held before its step, by step
    budget,   \* faults to come
    ghost     \* the truth, which no guard reads: who has read whose write, whether a write that was read was
              \* compensated, and whose writes were wiped out when an older value was put back

vars == <<records, sagas, budget, ghost>>

-----------------------------------------------------------------------------
Elements(sequence) == {sequence[place] : place \in DOMAIN sequence}
Last(sequence) == sequence[Len(sequence)]
Front(sequence) == SubSeq(sequence, 1, Len(sequence) - 1)

Record(r) == records[r + 1]
Saga(s) == sagas[s + 1]

(* Where a saga stands: so many steps are done, and not compensated. *)
Forward(done) == [phase |-> "Forward", done |-> done]
Backward(done) == [phase |-> "Backward", done |-> done]
Committed == [phase |-> "Committed"]
Aborted == [phase |-> "Aborted"]

IsForward(s) == Saga(s).phase.phase = "Forward"
IsBackward(s) == Saga(s).phase.phase = "Backward"
Done(s) == Saga(s).phase.done

LeftOut(s) == s % RecordCount

(* Guard lock-order: in a fixed order for all, or each saga begins after the record that it leaves out. *)
RecordOf(s, step) ==
    IF LockOrder THEN IF step < LeftOut(s) THEN step ELSE step + 1
    ELSE (LeftOut(s) + 1 + step) % RecordCount
NextRecord(s) == RecordOf(s, Done(s))

IsReader(s) == s < Readers
Waits(s) == IsForward(s) /\ Record(NextRecord(s)).lock \notin {None, s}

-----------------------------------------------------------------------------
Init == /\ records = [place \in 1..RecordCount |-> [writes |-> <<>>, lock |-> None]]
        /\ sagas = [place \in 1..SagaCount |-> [phase |-> Forward(0), images |-> <<>>]]
        /\ budget = [failures |-> Failures]
        /\ ghost = [has_read |-> [place \in 1..SagaCount |-> [other \in 1..SagaCount |-> FALSE]],
                    is_read_undone |-> FALSE,
                    is_wiped_out |-> [place \in 1..SagaCount |-> FALSE]]

(* Guard semantic-lock. The last step ends the saga: nothing is to be compensated any more, what stands is final. *)
Step(s) ==
    /\ IsForward(s) /\ ~Waits(s)
    /\ LET updated == NextRecord(s)
           writes == Record(updated).writes
           done == Done(s) + 1
           written == [records EXCEPT ![updated + 1].writes = Append(@, s),
                                      ![updated + 1].lock = IF SemanticLock THEN s ELSE None]
           freed == [place \in DOMAIN written |-> [written[place] EXCEPT !.lock = IF @ = s THEN None ELSE @]]
       IN  /\ records' = IF done = StepCount THEN freed ELSE written
           /\ sagas' = [sagas EXCEPT ![s + 1] =
                  IF done = StepCount THEN [phase |-> Committed, images |-> <<>>]
                  ELSE [phase |-> Forward(done), images |-> Append(@.images, writes)]]
           /\ ghost' = IF IsReader(s) /\ writes # <<>>
                       THEN [ghost EXCEPT !.has_read[s + 1][Last(writes) + 1] = TRUE]
                       ELSE ghost
    /\ UNCHANGED budget

(* Guard delta-undo: takes back its own write and nothing else; or puts back what was there before. *)
Compensate(s) ==
    /\ IsBackward(s)
    /\ LET updated == RecordOf(s, Done(s) - 1)
           writes == Record(updated).writes
           image == Last(Saga(s).images)
           wiped_out == IF DeltaUndo THEN {} ELSE Elements(writes) \ ({s} \union Elements(image))
       IN  /\ records' = [records EXCEPT
                  ![updated + 1].lock = IF @ = s THEN None ELSE @,
                  ![updated + 1].writes = IF DeltaUndo THEN SelectSeq(@, LAMBDA writer : writer # s) ELSE image]
           /\ sagas' = [sagas EXCEPT ![s + 1] =
                  [phase |-> IF Done(s) = 1 THEN Aborted ELSE Backward(Done(s) - 1), images |-> Front(@.images)]]
           /\ ghost' = [ghost EXCEPT
                  !.is_read_undone = @ \/ \E reader \in Sagas : ghost.has_read[reader + 1][s + 1],
                  !.is_wiped_out = [place \in DOMAIN @ |-> @[place] \/ place - 1 \in wiped_out]]
    /\ UNCHANGED budget

(* A fault: a step is refused, and the saga turns back. *)
Fail(s) ==
    /\ budget.failures > 0 /\ IsForward(s)
    /\ budget' = [budget EXCEPT !.failures = @ - 1]
    /\ sagas' = [sagas EXCEPT ![s + 1].phase = IF Done(s) = 0 THEN Aborted ELSE Backward(Done(s))]
    /\ UNCHANGED <<records, ghost>>

Work == \E s \in Sagas : Step(s) \/ Compensate(s)
Next == Work \/ \E s \in Sagas : Fail(s)

(* Each saga goes on when it can. *)
Fairness == \A s \in Sagas : WF_vars(Step(s) \/ Compensate(s))

Spec == Init /\ [][Next]_vars /\ Fairness
UnfairSpec == Init /\ [][Next]_vars

-----------------------------------------------------------------------------
IsolationTypeInv ==
    /\ \A r \in Records : Elements(Record(r).writes) \subseteq Sagas /\ Record(r).lock \in Sagas \union {None}
    /\ \A s \in Sagas :
           /\ Saga(s).phase \in {Forward(done) : done \in 0..(StepCount - 1)}
                              \union {Backward(done) : done \in 1..(StepCount - 1)} \union {Committed, Aborted}
           /\ Len(Saga(s).images) = IF IsForward(s) \/ IsBackward(s) THEN Done(s) ELSE 0
    /\ budget.failures \in 0..Failures
    /\ ghost.has_read \in [1..SagaCount -> [1..SagaCount -> BOOLEAN]]
    /\ ghost.is_wiped_out \in [1..SagaCount -> BOOLEAN]

IsCommitted(s) == Saga(s).phase = Committed
IsDone == \A s \in Sagas : Saga(s).phase \in {Committed, Aborted}

(* Nothing but faults can happen any more. *)
IsQuiescent == ~ENABLED Work

SagaIsolationInv == ~ghost.is_read_undone /\ ~\E s \in Sagas : ghost.is_wiped_out[s + 1] /\ IsCommitted(s)

SagaAtomicityInv ==
    (IsQuiescent /\ IsDone) =>
        \A r \in Records : Elements(Record(r).writes) = {s \in Sagas : IsCommitted(s) /\ LeftOut(s) # r}

NoDeadlockInv == IsQuiescent => IsDone

(* In the end, every saga has ended. *)
SagaTerminationProp == <>IsDone

-----------------------------------------------------------------------------
(* Witnesses: each must be violated, or the invariants hold for want of anything happening. *)
DebugNotAllCommit == ~\A s \in Sagas : IsCommitted(s)
DebugNothingWaits == ~\E s \in Sagas : Waits(s) /\ IsBackward(Record(NextRecord(s)).lock)
DebugNothingMeets ==
    ~\E s, other \in Sagas : s # other /\ Saga(s).images # <<>> /\ Saga(other).images # <<>>
DebugNoTwoAreCompensated == [][~\E s \in Sagas : Compensate(s) /\ Done(s) = 2]_vars
DebugNothingIsAborted ==
    [][~\E s, other \in Sagas : Step(s) /\ sagas'[s + 1].phase = Committed /\ Saga(other).phase = Aborted]_vars
DebugNothingFinalIsRead ==
    [][~\E s \in Sagas :
            /\ Step(s) /\ IsReader(s)
            /\ LET writes == Record(NextRecord(s)).writes IN writes # <<>> /\ IsCommitted(Last(writes))]_vars
DebugNothingIsLeft ==
    [][~\E s \in Sagas, place \in 1..RecordCount :
            Compensate(s) /\ records'[place] # records[place] /\ records'[place].writes # <<>>]_vars
=============================================================================
