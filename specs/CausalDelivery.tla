--------------------------- MODULE CausalDelivery ---------------------------
(* Causal delivery over partitioned logs: the twin of model/src/causal_delivery.rs, with the same variables, actions,
   guards and guarantees, and equal counts of states (manifest.json).

   Services emit events that name the events they depend on. An event reaches the log of its partition later. Every
   service reads the logs of the partitions it subscribes to and delivers an event when its causes are delivered.

   Assumed: nothing is lost and nobody crashes; a cause is emitted before its effect, so there are no cycles and no
   orphans; subscriptions do not change. An own event is known to its service when it is emitted.
   Left out: consumer groups, trimmed dependencies, an event's content. A new event is the environment's doing.
   Services that emit, and partitions, are numbered in the order of their first use (renaming loses nothing).

   Classic mistakes that this module avoids, each with a module of its own in pitfalls/: the dependency test reversed,
   causes looked for among known events only, a theorem on timestamps, no fairness, a set where order matters. *)
EXTENDS Naturals, Sequences, FiniteSets

CONSTANTS ServiceCount, ProducerCount, PartitionCount, EventCount,
          Gaps  \* 1: also tables in which a service lacks one partition

(* The guards; each can be removed. *)
CONSTANTS CheckDeps, FullDeps, SkipUnsubscribed, AckBarrier, SendOrder, HeadOfLine, WaitForCause, Idempotence,
          CheckPartition

ASSUME /\ ServiceCount \in 1..4 /\ ProducerCount \in 1..ServiceCount
       /\ PartitionCount \in 1..3 /\ EventCount \in 1..6 /\ Gaps \in 0..1

Services == 1..ServiceCount
Partitions == 1..PartitionCount
Events == 1..EventCount

VARIABLES
    subscribed,  \* for each service, the partitions it reads
    emitted,     \* the events, in the order in which they were emitted
    logs,        \* for each partition, what was appended, in order
    delivered,   \* for each service, the events of others that it delivered
    dropped,     \* for each service, the events that it gave up
    past         \* ghost: for each event, all that happened before it; no guard reads it

vars == <<subscribed, emitted, logs, delivered, dropped, past>>

-----------------------------------------------------------------------------
Max(numbers) == CHOOSE n \in numbers : \A m \in numbers : m <= n
Min(numbers) == CHOOSE n \in numbers : \A m \in numbers : n <= m
Elements(sequence) == {sequence[place] : place \in DOMAIN sequence}
HasTwice(log) == \E one, other \in DOMAIN log : one # other /\ log[one] = log[other]

Own(s) == {e \in DOMAIN emitted : emitted[e].by = s}
Known(s) == Own(s) \union delivered[s]
IsAppended(e) == \E p \in Partitions : e \in Elements(logs[p])
Subscribes(s, e) == emitted[e].to \in subscribed[s]

(* What a service has not come past in a log. *)
Unread(s, p) ==
    LET passed == Known(s) \union dropped[s]
    IN  IF p \in subscribed[s] THEN SelectSeq(logs[p], LAMBDA e : e \notin passed) ELSE <<>>

(* Guards check-deps and skip-unsubscribed. *)
Missing(s, e) == {c \in emitted[e].deps \ Known(s) : SkipUnsubscribed => Subscribes(s, c)}
IsReady(s, e) == CheckDeps => Missing(s, e) = {}

(* Guard head-of-line: at most one event, the first that is ready among those in reach. *)
Deliverable(s, p) ==
    LET unread == Unread(s, p)
        reach == {place \in DOMAIN unread : HeadOfLine => place = 1}
        ready == {place \in reach : IsReady(s, unread[place])}
    IN  IF ready = {} THEN {} ELSE {unread[Min(ready)]}

(* Guard wait-for-cause. *)
Droppable(s, p) ==
    LET unread == Unread(s, p)
    IN  IF WaitForCause \/ unread = <<>> \/ IsReady(s, unread[1]) THEN {} ELSE {unread[1]}

(* Guard ack-barrier. *)
AwaitsAcknowledgement(s, p) == AckBarrier /\ \E e \in Own(s) : emitted[e].to # p /\ ~IsAppended(e)

(* Guard full-deps: everything known and its dependencies, or one event of these. *)
Context(s) == Known(s) \union UNION {emitted[e].deps : e \in Known(s)}
Dependencies(s) ==
    LET context == Context(s)
    IN  IF FullDeps \/ context = {} THEN {context} ELSE {{cause} : cause \in context}

-----------------------------------------------------------------------------
(* The last service may lack a partition; if it emits, any may, since those that emit are interchangeable. *)
Lacking == IF Gaps = 0 THEN {} ELSE IF ProducerCount < ServiceCount THEN {ServiceCount} ELSE Services
Tables ==
    LET whole == [s \in Services |-> Partitions]
    IN  {whole} \union {[whole EXCEPT ![s] = Partitions \ {p}] : s \in Lacking, p \in Partitions}

Init == /\ subscribed \in Tables
        /\ emitted = <<>> /\ past = <<>>
        /\ logs = [p \in Partitions |-> <<>>]
        /\ delivered = [s \in Services |-> {}]
        /\ dropped = [s \in Services |-> {}]

Emit(s, p, deps) ==
    /\ Len(emitted) < EventCount
    /\ s <= 1 + Max({0} \union {emitted[e].by : e \in DOMAIN emitted})
    /\ p <= 1 + Max({0} \union {emitted[e].to : e \in DOMAIN emitted})
    /\ ~AwaitsAcknowledgement(s, p)
    /\ emitted' = Append(emitted, [by |-> s, to |-> p, deps |-> deps])
    /\ past' = Append(past, Known(s) \union UNION {past[e] : e \in Known(s)})
    /\ UNCHANGED <<subscribed, logs, delivered, dropped>>

(* Guards check-partition, send-order and idempotence. Without idempotence, one event is appended twice at most.
   The model calls this action Append, which the module Sequences has taken. *)
AppendToLog(e, p) ==
    /\ CheckPartition => emitted[e].to = p
    /\ SendOrder => \A other \in Own(emitted[e].by) :
                        (other < e /\ emitted[other].to = emitted[e].to) => IsAppended(other)
    /\ \/ ~IsAppended(e)
       \/ ~Idempotence /\ e \in Elements(logs[p]) /\ \A q \in Partitions : ~HasTwice(logs[q])
    /\ logs' = [logs EXCEPT ![p] = Append(@, e)]
    /\ UNCHANGED <<subscribed, emitted, delivered, dropped, past>>

Deliver(s, p) ==
    \E e \in Deliverable(s, p) :
        /\ delivered' = [delivered EXCEPT ![s] = @ \union {e}]
        /\ UNCHANGED <<subscribed, emitted, logs, dropped, past>>

Drop(s, p) ==
    \E e \in Droppable(s, p) :
        /\ dropped' = [dropped EXCEPT ![s] = @ \union {e}]
        /\ UNCHANGED <<subscribed, emitted, logs, delivered, past>>

Read(s) == \E p \in Partitions : Deliver(s, p) \/ Drop(s, p)

Next == \/ \E s \in 1..ProducerCount, p \in Partitions : \E deps \in Dependencies(s) : Emit(s, p, deps)
        \/ \E e \in DOMAIN emitted, p \in Partitions : AppendToLog(e, p)
        \/ \E s \in Services : Read(s)

(* An event reaches its log in the end, and a service that can read on does. Nobody has to emit anything. *)
AppendsInTheEnd(e) == e \in DOMAIN emitted /\ \E p \in Partitions : AppendToLog(e, p)
Fairness == /\ \A e \in Events : WF_vars(AppendsInTheEnd(e))
            /\ \A s \in Services : WF_vars(Read(s))

Spec == Init /\ [][Next]_vars /\ Fairness
UnfairSpec == Init /\ [][Next]_vars

-----------------------------------------------------------------------------
CausalDeliveryTypeInv ==
    /\ subscribed \in [Services -> SUBSET Partitions]
    /\ Len(emitted) <= EventCount /\ Len(past) = Len(emitted)
    /\ \A e \in DOMAIN emitted :
           /\ emitted[e].by \in 1..ProducerCount /\ emitted[e].to \in Partitions
           /\ emitted[e].deps \subseteq past[e] /\ past[e] \subseteq 1..(e - 1)
    /\ \A p \in Partitions : Elements(logs[p]) \subseteq DOMAIN emitted
    /\ \A s \in Services : delivered[s] \union dropped[s] \subseteq DOMAIN emitted \ Own(s)

(* Sets are enough here, since every state is checked: a cause delivered too late was missing one step earlier. *)
CausalDeliveryInv ==
    \A s \in Services : \A e \in delivered[s] : \A c \in past[e] : Subscribes(s, c) => c \in Known(s)

PartitionOrderInv ==
    \A s \in Services, p \in Partitions : \A place \in DOMAIN logs[p] :
        LET ahead == {logs[p][before] : before \in 1..(place - 1)}
        IN  (logs[p][place] \in delivered[s] \ ahead /\ p \in subscribed[s])
                => ahead \subseteq Known(s) \union dropped[s]

AtLeastOnceInv == \A s \in Services : dropped[s] = {}

NoDuplicationInv == \A p \in Partitions : ~HasTwice(logs[p])

NoCreationInv ==
    /\ \A p \in Partitions : \A e \in Elements(logs[p]) : emitted[e].to = p
    /\ \A s \in Services : \A e \in delivered[s] : IsAppended(e)

IsStuck(s) ==
    /\ \A e \in DOMAIN emitted : IsAppended(e)
    /\ \E p \in Partitions : Unread(s, p) # <<>>
    /\ \A p \in Partitions : Deliverable(s, p) = {} /\ Droppable(s, p) = {}

(* TLC's own check for deadlocks sees only states without a next step; that others go on would hide a stuck service. *)
NoDeadlockInv == \A s \in Services : ~IsStuck(s)

IsDone == \A e \in DOMAIN emitted :
              IsAppended(e) /\ \A s \in Services : Subscribes(s, e) => e \in Known(s)

(* What was emitted is delivered, in the end, by every service that subscribes to its partition. *)
AtLeastOnceProp == (~IsDone) ~> IsDone

-----------------------------------------------------------------------------
(* Witnesses: each must be violated, or the invariants hold for want of anything happening. *)
Waits(s, p) == Unread(s, p) # <<>> /\ ~IsReady(s, Unread(s, p)[1])

DebugNothingIsFinished == ~(Len(emitted) = EventCount /\ IsDone)
DebugNothingWaits == ~\E s \in Services, p \in Partitions : Waits(s, p)
DebugNoCauseComesLater ==
    [][~\E s \in Services, p, q \in Partitions :
           /\ Waits(s, p) /\ Deliver(s, q) /\ ~UNCHANGED delivered
           /\ emitted[Unread(s, p)[1]].deps \cap (delivered'[s] \ delivered[s]) # {}
           /\ IsReady(s, Unread(s, p)[1])']_vars
DebugNoCauseIsSkipped == \A s \in Services : \A e \in delivered[s] : emitted[e].deps \subseteq Known(s)
DebugOnePartitionOnly ==
    \A e \in DOMAIN emitted : IsAppended(e) => \A c \in emitted[e].deps : emitted[c].to = emitted[e].to
DebugOneOrderForAll ==
    ~\E one, other \in DOMAIN emitted :
        /\ one \notin past[other] /\ other \notin past[one]
        /\ \E s \in Services : one \in Known(s) /\ other \notin Known(s) /\ Subscribes(s, other)
        /\ \E s \in Services : other \in delivered[s] /\ one \notin Known(s) /\ Subscribes(s, one)
DebugNothingAwaitsAcknowledgement ==
    ~(Len(emitted) < EventCount /\ \E s \in 1..ProducerCount, p \in Partitions : AwaitsAcknowledgement(s, p))
=============================================================================
