--------------------------- MODULE SetForSequence ---------------------------
(* Pitfall: a set where a sequence is needed. `delivered \union {e}` is the same set the second time, so an event that is
   delivered twice leaves no trace, and a set has no order in which to look for a later cause. "No event is delivered
   twice", said of the set, is true whatever happens; said of a sequence that records every delivery, TLC breaks it in
   three steps. (CausalDelivery.tla keeps sets, and may: a delivery there leaves the event behind, and its order is
   checked in every state on the way.) *)
EXTENDS Naturals, Sequences, FiniteSets

Events == 1..2

VARIABLES produced, delivered, sequence

Init == produced = {} /\ delivered = {} /\ sequence = <<>>

Produce(e) == e \notin produced /\ produced' = produced \union {e} /\ UNCHANGED <<delivered, sequence>>

Deliver(e) == /\ e \in produced /\ Len(sequence) < 3  \* nothing keeps it from being delivered again
              /\ delivered' = delivered \union {e} /\ sequence' = Append(sequence, e) /\ UNCHANGED produced

Next == \E e \in Events : Produce(e) \/ Deliver(e)
Spec == Init /\ [][Next]_<<produced, delivered, sequence>>

OnceInTheSetInv == Cardinality(delivered) <= Cardinality(produced)
OnceInv == \A one, other \in DOMAIN sequence : sequence[one] = sequence[other] => one = other
=============================================================================
