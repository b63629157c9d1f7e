---------------------------- MODULE ReversedTest ----------------------------
(* Pitfall: the dependency test reversed. "Every cause was delivered" is one swapped pair of names away from "every
   effect was delivered", and both parse, run and leave a comment above them looking true. Here an event waits for what
   it caused: TLC delivers the effect first, in three steps. Exposed by an invariant on delivery that does not repeat
   the guard's own formula. *)
EXTENDS Naturals

Events == 1..2
Causes(a, b) == a + 1 = b  \* event 1 causes event 2

VARIABLES produced, delivered

Init == produced = {} /\ delivered = {}

Produce(e) == /\ e \notin produced /\ \A c \in Events : Causes(c, e) => c \in produced
              /\ produced' = produced \union {e} /\ UNCHANGED delivered

Deliver(e) == /\ e \in produced \ delivered
              /\ \A other \in produced : Causes(e, other) => other \in delivered  \* meant: Causes(other, e)
              /\ delivered' = delivered \union {e} /\ UNCHANGED produced

Next == \E e \in Events : Produce(e) \/ Deliver(e)
Spec == Init /\ [][Next]_<<produced, delivered>>

CauseFirstInv == \A e \in delivered : \A c \in Events : Causes(c, e) => c \in delivered
=============================================================================
