------------------------ MODULE PropertyCommentedOut ------------------------
(* Pitfall: a property commented out. Somebody took it out of the configuration to try something, or because it was
   red; TLC explores every state, checks nothing, and says that no error has been found. Here every event is delivered
   as often as it comes, the invariant says "once", and the run is green. Nothing in TLC's output tells the difference.
   The cure is to name in a second place what is checked: here, the manifest's test reads every configuration and
   demands that it checks something, and a witness such as DebugNothingIsDelivered, which must be reported, is not
   either if the whole section is gone. With the property back, TLC needs three steps. *)
EXTENDS Naturals

Events == 1..2

VARIABLES produced, deliveries  \* for each event, how often it was delivered

Init == produced = {} /\ deliveries = [event \in Events |-> 0]

Produce(event) == event \notin produced /\ produced' = produced \union {event} /\ UNCHANGED deliveries

Deliver(event) == /\ event \in produced /\ deliveries[event] < 2  \* nothing keeps it from being delivered again
                  /\ deliveries' = [deliveries EXCEPT ![event] = @ + 1] /\ UNCHANGED produced

Next == \E event \in Events : Produce(event) \/ Deliver(event)
Spec == Init /\ [][Next]_<<produced, deliveries>>

OnceInv == \A event \in Events : deliveries[event] <= 1
DebugNothingIsDelivered == \A event \in Events : deliveries[event] = 0
=============================================================================
