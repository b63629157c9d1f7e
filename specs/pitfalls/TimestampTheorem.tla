-------------------------- MODULE TimestampTheorem --------------------------
(* Pitfall: a theorem that no guard can break. It says that of two delivered events the cause has the smaller timestamp.
   That is true of any honest clock and says nothing of delivery: TLC confirms it here although Deliver has no guard at
   all, and effects are delivered before their causes. It would fail with a skewed clock, and not for anything that
   delivery does. The cure: remove each guard in turn and see which property falls; one that never falls checks
   nothing. *)
EXTENDS Naturals

Events == 1..2
Causes(a, b) == a + 1 = b  \* event 1 causes event 2

VARIABLES clock, stamp, delivered

Init == clock = 0 /\ stamp = [e \in Events |-> 0] /\ delivered = {}

Produce(e) == /\ stamp[e] = 0 /\ \A c \in Events : Causes(c, e) => stamp[c] > 0
              /\ clock' = clock + 1 /\ stamp' = [stamp EXCEPT ![e] = clock + 1] /\ UNCHANGED delivered

Deliver(e) == /\ stamp[e] > 0 /\ e \notin delivered  \* no guard
              /\ delivered' = delivered \union {e} /\ UNCHANGED <<clock, stamp>>

Next == \E e \in Events : Produce(e) \/ Deliver(e)
Spec == Init /\ [][Next]_<<clock, stamp, delivered>>

TimestampsInv == \A a, b \in delivered : Causes(a, b) => stamp[a] < stamp[b]
CauseFirstInv == \A e \in delivered : \A c \in Events : Causes(c, e) => c \in delivered
=============================================================================
