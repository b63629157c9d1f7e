-------------------------- MODULE KnownEventsOnly --------------------------
(* Pitfall: quantifying over known events only. The direction is right, but the test asks the events that have arrived
   whether one of them is an undelivered cause. A cause that has not arrived is in no set to be asked, and counts as
   delivered. That is the very case that causal delivery is about. TLC needs two steps: the effect arrives, and is
   delivered. The cure: an event carries its causes, and the test goes through those. *)
EXTENDS Naturals

Events == 1..2
Causes(a, b) == a + 1 = b  \* event 1 causes event 2

VARIABLES arrived, delivered

Init == arrived = {} /\ delivered = {}

Arrive(e) == /\ e \notin arrived  \* in any order: the events come through different partitions
             /\ arrived' = arrived \union {e} /\ UNCHANGED delivered

Deliver(e) == /\ e \in arrived \ delivered
              /\ \A c \in arrived : Causes(c, e) => c \in delivered  \* meant: \A c \in Events
              /\ delivered' = delivered \union {e} /\ UNCHANGED arrived

Next == \E e \in Events : Arrive(e) \/ Deliver(e)
Spec == Init /\ [][Next]_<<arrived, delivered>>

CauseFirstInv == \A e \in delivered : \A c \in Events : Causes(c, e) => c \in delivered
=============================================================================
