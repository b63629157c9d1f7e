------------------------ MODULE GuardThatNeverFires ------------------------
(* Pitfall: a guard that can never be true. A message carries a vector clock; it is delivered if it is the next of its
   sender, and if all else that its sender knew is delivered, which the sender's own place is exempt from. Write the
   exemption the wrong way round, and everybody is exempt but the sender, whose place must now be one ahead and not
   ahead: nothing is ever delivered, and every promise about deliveries holds. Versions of a published specification
   have it. The cure: a witness, "something is delivered", which TLC must report; with the wrong exemption, it does
   not. *)
EXTENDS Naturals

CONSTANT IsCured  \* whether the exemption is the right way round

Services == 1..3
MessageCount == 1  \* of each service

VARIABLES clock, sent, delivered  \* clock[s]: for each service, how many of its messages s knows
vars == <<clock, sent, delivered>>

Init == clock = [s \in Services |-> [of \in Services |-> 0]] /\ sent = {} /\ delivered = [s \in Services |-> {}]

Send(s) == /\ clock[s][s] < MessageCount /\ clock' = [clock EXCEPT ![s][s] = @ + 1]
           /\ sent' = sent \union {[by |-> s, stamp |-> clock'[s]]} /\ UNCHANGED delivered

IsExempt(s, sender) == IF IsCured THEN s = sender ELSE s # sender

Deliver(s, message) == /\ message.stamp[message.by] = clock[s][message.by] + 1
                       /\ \A of \in Services : message.stamp[of] <= clock[s][of] \/ IsExempt(of, message.by)
                       /\ delivered' = [delivered EXCEPT ![s] = @ \union {message}]
                       /\ clock' = [clock EXCEPT ![s][message.by] = @ + 1] /\ UNCHANGED sent

Next == \E s \in Services : Send(s) \/ \E message \in sent : Deliver(s, message)
Spec == Init /\ [][Next]_vars

Causes(a, b) == a # b /\ \A of \in Services : a.stamp[of] <= b.stamp[of]
CauseFirstInv == \A s \in Services : \A message \in delivered[s], cause \in sent :
                     Causes(cause, message) => cause.by = s \/ cause \in delivered[s]
DebugNothingIsDelivered == \A s \in Services : delivered[s] = {}
=============================================================================
