"""A pretended town: people who answer their telephones or not, a carrier, operators with softphones.

For demos, training and tests. The dialer learns nothing about it except by calling.

    people     who lives there and what happens when their telephone is called (pure, seeded)
    fastagi    the carrier's Asterisk asks us what to do with a call
    ledger     every call as the carrier saw it
    carrier    the second Asterisk, and the people's side of a call
    softphones the operators' telephones, registered at the PBX
    callers    those of the town who call us, and ears that tell what they heard
    occasions  when they call
    robots     operators who record results through the HTTP interface a screen uses
    selfcheck, callers_check  what must hold after a demo: the service's records against the carrier's
               ledger, and against what callers did and heard
    demo       everything together, in at most six minutes
"""
