"""How the shipped reader is made from all-MiniLM-L6-v2 and the data sets in DIR/reader; never
imported by the rest of `qa`.

On a CPU (resumable: the same command goes on where it was; SIGTERM, Ctrl-C and --max-minutes end it
with a checkpoint):

    python -m qa.training stage1    --data DIR --work WORK --tokens 50e6 --lr 1e-4 python -m
    qa.training negatives --data DIR --work WORK --questions 30000 python -m qa.training stage2
    --data DIR --work WORK --tokens 15e6 --lr 3e-5 python -m qa.training export    --from
    WORK/stage2 --data DIR --out READER [--average WORK/stage1=0.2] [--about FIGURES.json] python -m
    qa.training evaluate  --from READER DIR/reader/squad2-dev.json.gz DIR/reader/squad1-dev.json.gz

WORK holds corpus.npz (all tokens, 13 MB), validation.json.gz (a sample of the held-out articles,
which no stage sees), negatives.npz, and for each stage checkpoint.pt and log.jsonl (step, tokens,
loss, lr, tokens_per_s, validation). `STEP --help` lists every setting. Data settings (--sources,
--swap-share, --max-tokens, ...) must be the same in every step.

Memory that is never given back makes it half again as fast on a CPU (Linux with glibc 2.35 or
later, in front of the command):

    GLIBC_TUNABLES=glibc.malloc.hugetlb=1:glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=34359738368:glibc.malloc.top_pad=268435456

On a GPU machine that has torch, transformers, tokenizers, numpy and safetensors only, and that few
megabytes can be carried to. Here, first:

    python -m qa.training prepare   --data DIR --work WORK
    python -m qa.training negatives --data DIR --work WORK --questions 0
    python -m qa.training base      --out BASE                          an fp16 copy, 46 MB

Carry BASE and WORK without its stages (some 15 MB), and run there, with this checkout as the
working folder:

    GPU="--work WORK --base BASE --batch-tokens 65536 --attention sdpa --dropout 0.1 --ema 0.999
    --log-steps 50 --validate-tokens 1e7" python -m qa.training stage1 $GPU --tokens 150e6 --lr 4e-4
    python -m qa.training stage2 $GPU --tokens 60e6 --lr 1e-4 python -m qa.training export --from
    WORK/stage2 --base BASE --out OUT && split -b 15m OUT/reader.safetensors OUT/part-

Rates and tokens of the GPU lines are a first guess, to be settled on the validation figures.
`regex` is needed for these figures too. Back here, `cat part-* > reader.safetensors` beside
reader.json, and `export --from OUT --data DIR --out READER` checks both hashes, writes the card
anew against the base that comes with pip, balances the score of no answer on held-out questions,
and leaves the weights as they are.

    errors config      what can go wrong; every setting
    data               SQuAD-format files -> examples
    swaps statements   synthetic unanswerable questions; synthetic yes-or-no questions
    corpus windows     examples -> tokens -> windows with labels
    units batches      what an epoch shows -> tensors
    model loss         logits; shared normalisation over all windows of a question
    checkpoint loop    training that can be stopped at any moment
    evaluate traps     EM, F1, AUROC on gold passages; pairs of a question and its trap
    balance            the score from which a span beats "no answer" where both are equally common
    negatives export   hard negatives from our own retriever; the folder that is shipped
"""
