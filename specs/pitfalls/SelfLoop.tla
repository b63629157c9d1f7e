------------------------------ MODULE SelfLoop ------------------------------
(* Pitfall: a self-loop that hides a deadlock. Two sagas lock two records in opposite orders, the classic circular
   wait. But a saga that finds a record locked tries again, which changes nothing and can be done for ever; so every
   state has a next one, and a check for states without a next one, such as TLC's own, finds none. The same goes for a
   heartbeat, a poll that comes back empty, and an action that allows everything to stay as it is "at the end" and
   forgets to say when the end is. The cure: ask for a step that changes something, or for the work to be done. TLC
   needs two steps. *)
EXTENDS Naturals

Sagas == 1..2
Records == 1..2
First(saga) == saga  \* meant: the same for both
Second(saga) == 3 - saga

VARIABLES holder, done  \* for each record, the saga that has locked it, or 0
vars == <<holder, done>>

Init == holder = [record \in Records |-> 0] /\ done = {}

IsNext(saga, record) == /\ saga \notin done /\ holder[record] # saga
                        /\ record = First(saga) \/ holder[First(saga)] = saga

Lock(saga, record) == /\ IsNext(saga, record) /\ holder[record] = 0
                      /\ holder' = [holder EXCEPT ![record] = saga] /\ UNCHANGED done

TryAgain(saga, record) == IsNext(saga, record) /\ holder[record] # 0 /\ UNCHANGED vars

Finish(saga) == /\ saga \notin done /\ \A record \in Records : holder[record] = saga
                /\ holder' = [record \in Records |-> 0] /\ done' = done \union {saga}

Rest == done = Sagas /\ UNCHANGED vars

Next == Rest \/ \E saga \in Sagas : Finish(saga) \/ \E record \in Records : Lock(saga, record) \/ TryAgain(saga, record)
Spec == Init /\ [][Next]_vars

NextStepInv == ENABLED Next  \* what TLC's check for deadlocks asks
NoDeadlockInv == done = Sagas \/ ENABLED <<Next>>_vars
=============================================================================
