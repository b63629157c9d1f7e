---------------------------- MODULE PartitionLog ----------------------------
(* Producers, an unreliable link, and the partitions of one topic: the twin of model/src/partition_log.rs, with the same
   variables, actions, guards and guarantees, and equal counts of states (manifest.json).

   Each producer sends its events in order, each with a key. The link may lose, duplicate, damage or reorder requests.
   The broker appends to a partition, syncs it to disk and acknowledges; it may lose power, and with it what was not
   synced. A producer may be restarted while requests of its former incarnation are on the link, and the topic may grow.

   Assumed: faults are budgeted; recovery is not. A producer sends again only what is no longer under way: a retry that
   comes too early is the link's duplicate, since the broker cannot tell the two apart.
   Left out: batches, replication, and refusals sent back to the producer (a refused request vanishes, and the retry
   follows as after a loss).
   Everything counts from 0, as offsets do; sequences of TLA+ start at 1, hence every `+ 1` between brackets. *)
EXTENDS Naturals, Sequences, FiniteSets, Bags

CONSTANTS ProducerCount, EventCount, PartitionCount, InFlight,
          Faults, Losses, Duplicates, Damages, Crashes, Restarts, Growths,
          None  \* what stands where nothing does

(* The guards; each can be removed. *)
CONSTANTS Idempotence, GapCheck, InOrderRetry, Retry, FsyncBeforeAck, KeepProducerState, EpochFence, ResumeFromLog,
          StablePartitioner, Checksum

ASSUME /\ ProducerCount \in 1..4 /\ EventCount \in 1..8 /\ PartitionCount \in 1..4 /\ InFlight \in 1..8
       /\ {Faults, Losses, Duplicates, Damages, Crashes, Restarts, Growths} \subseteq Nat

Producers == 0..(ProducerCount - 1)
Events == [producer : Producers, number : 0..(EventCount - 1)]
Garbage == [producer |-> 255, number |-> 255]  \* what a damaged request turns into: no event of anybody's

VARIABLES
    producers,   \* for each, its incarnation and what it knows of its events
    requests,    \* on the link: a bag
    replies,     \* acknowledgements on the link: a bag
    partitions,  \* for each, its log, how much of it is on disk, and what the broker remembers of producers
    budget,      \* faults to come
    ghost        \* what was sent where, and what was acknowledged; no guard reads it

vars == <<producers, requests, replies, partitions, budget, ghost>>

-----------------------------------------------------------------------------
Max(numbers) == CHOOSE n \in numbers : \A m \in numbers : m <= n
Min(numbers) == CHOOSE n \in numbers : \A m \in numbers : n <= m
With(bag, item) == bag (+) SetToBag({item})
Without(bag, item) == bag (-) SetToBag({item})

Numbers == 0..(Len(partitions) - 1)
Partition(p) == partitions[p + 1]
Offsets(p) == 0..(Len(Partition(p).log) - 1)
Record(p, offset) == Partition(p).log[offset + 1]
Stands(e) == \E p \in Numbers : \E offset \in Offsets(p) : Record(p, offset).event = e

Epoch(e) == producers[e.producer + 1].epoch
Progress(e) == producers[e.producer + 1].events[e.number + 1]
OfProducer(e) == {other \in Events : other.producer = e.producer}

(* Whether anything of an event may still lead to its acknowledgement by itself. *)
IsUnderWay(e) ==
    \/ \E request \in DOMAIN requests : request.event = e /\ request.stamp.epoch = Epoch(e)
    \/ \E reply \in DOMAIN replies : reply.event = e
    \/ \E p \in Numbers : \E offset \in Offsets(p) : offset >= Partition(p).durable /\ Record(p, offset).event = e

IsOpen(e) == Progress(e).stamp # None /\ ~Progress(e).is_acknowledged
Waits(e) == IsOpen(e) /\ ~IsUnderWay(e)
HasRoom(e) == Cardinality({other \in OfProducer(e) : IsOpen(other) /\ IsUnderWay(other)}) < InFlight

(* Guard in-order-retry. *)
IsHeldBack(e, p) ==
    /\ InOrderRetry
    /\ \E earlier \in OfProducer(e) :
           earlier.number < e.number /\ Waits(earlier) /\ Progress(earlier).stamp.partition = p

(* Guard stable-partitioner: a key stays where its first event went. Events come in pairs of one key. *)
Key(e) == e.number \div 2
Hashed(e) == (Key(e) + 1) % Len(partitions)
PartitionFor(e) ==
    LET sent == {other \in OfProducer(e) : Key(other) = Key(e) /\ Progress(other).stamp # None}
        first == Min({other.number : other \in sent})
    IN  IF StablePartitioner /\ sent # {} THEN Progress([e EXCEPT !.number = first]).stamp.partition ELSE Hashed(e)

(* What the broker makes of a request: guards checksum, epoch-fence, idempotence and gap-check, in this order. *)
Judge(request) ==
    LET stamp == request.stamp
        p == stamp.partition
        known == {offset \in Offsets(p) : /\ offset >= Partition(p).remembered_from
                                          /\ Record(p, offset).event.producer = request.event.producer
                                          /\ Record(p, offset).epoch = stamp.epoch}
        same == {offset \in known : Record(p, offset).sequence = stamp.sequence}
        expected == Max({0} \union {Record(p, offset).sequence + 1 : offset \in known})
        verdict(is, offset) == [is |-> is, offset |-> offset]
    IN  CASE Checksum /\ request.is_damaged -> verdict("damaged", None)
          [] EpochFence /\ stamp.epoch < Partition(p).epochs[request.event.producer + 1] -> verdict("fenced", None)
          [] ~Idempotence -> verdict("append", None)
          [] stamp.sequence < expected -> verdict("duplicate", IF same = {} THEN None ELSE Min(same))
          [] GapCheck /\ stamp.sequence > expected -> verdict("gap", None)
          [] OTHER -> verdict("append", None)

-----------------------------------------------------------------------------
Init ==
    /\ producers = [p \in 1..ProducerCount |->
                       [epoch |-> 0, events |-> [n \in 1..EventCount |-> [stamp |-> None, is_acknowledged |-> FALSE]]]]
    /\ requests = EmptyBag /\ replies = EmptyBag
    /\ partitions = [p \in 1..PartitionCount |->
                        [log |-> <<>>, durable |-> 0, remembered_from |-> 0, epochs |-> [q \in 1..ProducerCount |-> 0]]]
    /\ budget = [faults |-> Faults, losses |-> Losses, duplicates |-> Duplicates, damages |-> Damages,
                 crashes |-> Crashes, restarts |-> Restarts, growths |-> Growths]
    /\ ghost = [sent |-> {}, acknowledged |-> {}]

(* The next event, for the first time in this incarnation. *)
Send(e) ==
    LET p == PartitionFor(e)
        before == {other \in OfProducer(e) : /\ Progress(other).stamp # None
                                             /\ Progress(other).stamp.partition = p
                                             /\ Progress(other).stamp.epoch = Epoch(e)}
        stamp == [partition |-> p, epoch |-> Epoch(e), sequence |-> Cardinality(before)]
        isUnsent(other) == Progress(other).stamp = None /\ ~Progress(other).is_acknowledged
    IN  /\ isUnsent(e) /\ \A other \in OfProducer(e) : other.number < e.number => ~isUnsent(other)
        /\ HasRoom(e) /\ ~IsHeldBack(e, p)
        /\ producers' = [producers EXCEPT ![e.producer + 1].events[e.number + 1].stamp = stamp]
        /\ requests' = With(requests, [event |-> e, stamp |-> stamp, is_damaged |-> FALSE])
        /\ ghost' = [ghost EXCEPT !.sent = @ \union {<<e, p>>}]
        /\ UNCHANGED <<replies, partitions, budget>>

(* Guard retry. The model calls this action Retry, which is the guard here. *)
SendAgain(e) ==
    /\ Retry /\ Waits(e) /\ HasRoom(e) /\ ~IsHeldBack(e, Progress(e).stamp.partition)
    /\ requests' = With(requests, [event |-> e, stamp |-> Progress(e).stamp, is_damaged |-> FALSE])
    /\ UNCHANGED <<producers, replies, partitions, budget, ghost>>

(* Guard fsync-before-ack: what is not durable yet is acknowledged by the flush to come. *)
Handle(request) ==
    LET verdict == Judge(request)
        p == request.stamp.partition
        record == [event |-> IF request.is_damaged THEN Garbage ELSE request.event,
                   epoch |-> request.stamp.epoch, sequence |-> request.stamp.sequence]
        acknowledged(offset) == With(replies, [event |-> request.event, partition |-> p, offset |-> offset])
        isUnsynced == verdict.offset # None /\ verdict.offset >= Partition(p).durable
    IN  /\ requests' = Without(requests, request)
        /\ partitions' = IF verdict.is = "append"
                         THEN [partitions EXCEPT ![p + 1].log = Append(@, record)]
                         ELSE partitions
        /\ replies' = CASE verdict.is = "append" /\ ~FsyncBeforeAck -> acknowledged(Len(Partition(p).log))
                        [] verdict.is = "duplicate" /\ ~(FsyncBeforeAck /\ isUnsynced) -> acknowledged(verdict.offset)
                        [] OTHER -> replies
        /\ UNCHANGED <<producers, budget, ghost>>

Flush(p) ==
    LET unsynced == {offset \in Offsets(p) : offset >= Partition(p).durable}
        promised == {offset \in unsynced : FsyncBeforeAck /\ Record(p, offset).event # Garbage}
        reply(offset) == [event |-> Record(p, offset).event, partition |-> p, offset |-> offset]
    IN  /\ unsynced # {}
        /\ partitions' = [partitions EXCEPT ![p + 1].durable = Len(Partition(p).log)]
        /\ replies' = replies (+) SetToBag({reply(offset) : offset \in promised})
        /\ UNCHANGED <<producers, requests, budget, ghost>>

Acknowledge(reply) ==
    /\ producers' = [producers EXCEPT ![reply.event.producer + 1].events[reply.event.number + 1].is_acknowledged = TRUE]
    /\ replies' = Without(replies, reply)
    /\ ghost' = [ghost EXCEPT !.acknowledged = @ \union {reply}]
    /\ UNCHANGED <<requests, partitions, budget>>

-----------------------------------------------------------------------------
(* Faults: nothing may rely on their happening. *)
Spend(left, rest) == budget.faults > 0 /\ left > 0 /\ budget' = [rest EXCEPT !.faults = @ - 1]

LoseRequest(request) ==
    /\ Spend(budget.losses, [budget EXCEPT !.losses = @ - 1])
    /\ requests' = Without(requests, request)
    /\ UNCHANGED <<producers, replies, partitions, ghost>>

LoseReply(reply) ==
    /\ Spend(budget.losses, [budget EXCEPT !.losses = @ - 1])
    /\ replies' = Without(replies, reply)
    /\ UNCHANGED <<producers, requests, partitions, ghost>>

Duplicate(request) ==
    /\ Spend(budget.duplicates, [budget EXCEPT !.duplicates = @ - 1])
    /\ requests' = With(requests, request)
    /\ UNCHANGED <<producers, replies, partitions, ghost>>

Damage(request) ==
    /\ ~request.is_damaged
    /\ Spend(budget.damages, [budget EXCEPT !.damages = @ - 1])
    /\ requests' = With(Without(requests, request), [request EXCEPT !.is_damaged = TRUE])
    /\ UNCHANGED <<producers, replies, partitions, ghost>>

(* Guard keep-producer-state. *)
Crash ==
    LET restarted(partition) ==
            LET durable == [partition EXCEPT !.log = SubSeq(@, 1, partition.durable)]
            IN  IF KeepProducerState THEN durable
                ELSE [durable EXCEPT !.remembered_from = partition.durable, !.epochs = [q \in DOMAIN @ |-> 0]]
    IN  /\ Spend(budget.crashes, [budget EXCEPT !.crashes = @ - 1])
        /\ partitions' = [p \in DOMAIN partitions |-> restarted(partitions[p])]
        /\ UNCHANGED <<producers, requests, replies, ghost>>

(* Guard resume-from-log. The broker syncs, and fences the former incarnation. *)
Restart(number) ==
    LET epoch == producers[number + 1].epoch + 1
        resumed(e) ==
            LET isAcknowledged == Progress(e).is_acknowledged \/ (ResumeFromLog /\ Stands(e))
            IN  [stamp |-> IF isAcknowledged THEN Progress(e).stamp ELSE None, is_acknowledged |-> isAcknowledged]
    IN  /\ Spend(budget.restarts, [budget EXCEPT !.restarts = @ - 1])
        /\ partitions' = [p \in DOMAIN partitions |->
                             [partitions[p] EXCEPT !.durable = Len(partitions[p].log), !.epochs[number + 1] = epoch]]
        /\ producers' = [producers EXCEPT ![number + 1] =
                            [epoch |-> epoch,
                             events |-> [n \in 1..EventCount |-> resumed([producer |-> number, number |-> n - 1])]]]
        /\ UNCHANGED <<requests, replies, ghost>>

Grow ==
    /\ Spend(budget.growths, [budget EXCEPT !.growths = @ - 1])
    /\ partitions' = Append(partitions, [log |-> <<>>, durable |-> 0, remembered_from |-> 0,
                                         epochs |-> [q \in 1..ProducerCount |-> producers[q].epoch]])
    /\ UNCHANGED <<producers, requests, replies, ghost>>

-----------------------------------------------------------------------------
Progresses == \/ \E e \in Events : Send(e) \/ SendAgain(e)
              \/ \E request \in DOMAIN requests : Handle(request)
              \/ \E p \in Numbers : Flush(p)
              \/ \E reply \in DOMAIN replies : Acknowledge(reply)

Fails == \/ \E request \in DOMAIN requests : LoseRequest(request) \/ Duplicate(request) \/ Damage(request)
         \/ \E reply \in DOMAIN replies : LoseReply(reply)
         \/ Crash
         \/ \E number \in Producers : Restart(number)
         \/ Grow

Next == Progresses \/ Fails

(* Each event's next step is fair by itself, or the handling of one event could put off another's for ever. *)
SendsInTheEnd(e) == Send(e) \/ SendAgain(e)
HandlesInTheEnd(e) == \E request \in DOMAIN requests : request.event = e /\ Handle(request)
AcknowledgesInTheEnd(e) == \E reply \in DOMAIN replies : reply.event = e /\ Acknowledge(reply)
FlushesInTheEnd(p) == p \in Numbers /\ Flush(p)
Fairness ==
    /\ \A e \in Events :
           WF_vars(SendsInTheEnd(e)) /\ WF_vars(HandlesInTheEnd(e)) /\ WF_vars(AcknowledgesInTheEnd(e))
    /\ \A p \in 0..(PartitionCount + Growths - 1) : WF_vars(FlushesInTheEnd(p))

Spec == Init /\ [][Next]_vars /\ Fairness
UnfairSpec == Init /\ [][Next]_vars

-----------------------------------------------------------------------------
Stamps == [partition : Numbers, epoch : 0..Restarts, sequence : 0..(EventCount - 1)]
Requests == [event : Events, stamp : Stamps, is_damaged : BOOLEAN]
Replies == [event : Events, partition : Numbers, offset : Nat \union {None}]

PartitionLogTypeInv ==
    /\ \A e \in Events : /\ Epoch(e) \in 0..Restarts
                         /\ Progress(e).stamp \in Stamps \union {None} /\ Progress(e).is_acknowledged \in BOOLEAN
    /\ IsABag(requests) /\ DOMAIN requests \subseteq Requests
    /\ IsABag(replies) /\ DOMAIN replies \subseteq Replies
    /\ Len(partitions) \in PartitionCount..(PartitionCount + Growths)
    /\ \A p \in Numbers :
           /\ \A offset \in Offsets(p) : Record(p, offset).event \in Events \union {Garbage}
           /\ Partition(p).durable \in 0..Len(Partition(p).log)
           /\ Partition(p).remembered_from \in 0..Partition(p).durable
           /\ Partition(p).epochs \in [1..ProducerCount -> 0..Restarts]
    /\ \A kind \in DOMAIN budget : budget[kind] \in Nat
    /\ ghost.sent \subseteq Events \X Numbers /\ ghost.acknowledged \subseteq Replies

NoCreationInv == \A p \in Numbers : \A offset \in Offsets(p) : <<Record(p, offset).event, p>> \in ghost.sent

Places == UNION {{<<p, offset>> : offset \in Offsets(p)} : p \in Numbers}
EventAt(place) == Record(place[1], place[2]).event

NoDuplicationInv == \A one, other \in Places : EventAt(one) = EventAt(other) => one = other

(* Of what stands in a partition twice, the first occurrence counts. *)
ProducerOrderInv ==
    \A p \in Numbers :
        LET isFirst(offset) == \A earlier \in 0..(offset - 1) : Record(p, earlier).event # Record(p, offset).event
            firsts == {offset \in Offsets(p) : isFirst(offset)}
            event(offset) == Record(p, offset).event
        IN  \A earlier, later \in firsts :
                (earlier < later /\ event(earlier).producer = event(later).producer)
                    => event(earlier).number < event(later).number

(* That the events of a key stand in the order of sending in their partition is producer order. *)
KeyOrderInv ==
    \A one, other \in Places :
        LET a == EventAt(one)
            b == EventAt(other)
        IN  (one[1] # other[1] /\ a.producer = b.producer /\ Key(a) = Key(b)) => a = b

TotalLogInv ==
    \A reply \in ghost.acknowledged :
        (reply.offset # None /\ reply.offset \in Offsets(reply.partition))
            => Record(reply.partition, reply.offset).event = reply.event

DurabilityInv ==
    \A reply \in ghost.acknowledged :
        \E offset \in Offsets(reply.partition) : Record(reply.partition, offset).event = reply.event

IsDone == \A e \in Events : Progress(e).is_acknowledged

(* When nothing but faults can happen any more. *)
IsQuiescent == ~ENABLED <<Progresses>>_vars

NoDeadlockInv == IsQuiescent => IsDone

AtLeastOnceProp == <>IsDone

-----------------------------------------------------------------------------
(* Witnesses: each must be violated, or the invariants hold for want of anything happening. *)
Handles(is) == \E request \in DOMAIN requests : Judge(request).is = is /\ Handle(request)
RecognisesARepeat ==
    \E request \in DOMAIN requests :
        Judge(request).is = "duplicate" /\ Judge(request).offset # None /\ Handle(request)

DebugNotEverythingIsAcknowledged == ~IsDone
DebugNoRepeatIsRecognised == [][~RecognisesARepeat]_vars
DebugNothingOvertakes == [][~Handles("gap")]_vars
DebugNoRepeatIsRecognisedAfterACrash == [][~(budget.crashes < Crashes /\ RecognisesARepeat)]_vars
DebugNoKeyStays == [][~\E e \in Events : PartitionFor(e) # Hashed(e) /\ Send(e)]_vars
DebugNothingDamagedIsRefused == [][~Handles("damaged")]_vars
DebugNoFormerIncarnationIsRefused == [][~Handles("fenced")]_vars
DebugNothingUnsyncedIsLost ==
    [][~(Crash /\ \E p \in Numbers : Partition(p).durable < Len(Partition(p).log))]_vars
DebugOnePartitionOnly == \A p, q \in Numbers : Partition(p).log = <<>> \/ Partition(q).log = <<>> \/ p = q
=============================================================================
