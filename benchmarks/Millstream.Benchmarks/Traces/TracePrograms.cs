using System.Collections.Frozen;

namespace Millstream;

/// <summary>
/// Which program needs what. Traces say how long a program ran and not what it was held up by, so this table does: a name as a whole, else the first
/// of its words that stands here (<c>SAMTOOLS_SORT</c>, <c>cat_blast</c>), else <c>compute</c>. Taken from what the programs are, and from the processor's share
/// in the recorded runs (mDiffFit 0.2 %, fasterq-dump 4 %).
/// </summary>
internal static class TracePrograms
{
    public const string Compute = "compute", IO = "io", Memory = "memory";

    /// <summary>How many tasks of each type run at once.</summary>
    public static IReadOnlyDictionary<string, int> Capacities { get; } = new Dictionary<string, int> { [Compute] = 8, [IO] = 4, [Memory] = 2 };

    private static readonly FrozenDictionary<string, string> Types = new Dictionary<string, string>
    {
        // Montage
        ["mProject"] = Compute,
        ["mViewer"] = Compute,
        ["mDiffFit"] = IO,
        ["mBackground"] = IO,
        ["mConcatFit"] = Memory,
        ["mBgModel"] = Memory,
        ["mImgtbl"] = Memory,
        ["mAdd"] = Memory,
        // 1000Genome
        ["individuals"] = Compute,
        ["mutation_overlap"] = Compute,
        ["frequency"] = Compute,
        ["sifting"] = Compute,
        // Epigenomics
        ["map"] = Compute,
        ["pileup"] = Compute,
        ["filterContams"] = Compute,
        ["fastqSplit"] = IO,
        ["fast2bfq"] = IO,
        ["sol2sanger"] = IO,
        ["mapMerge"] = Memory,
        // BLAST, BWA, SRA Search, Seismology, SoyKB, hello world
        ["blastall"] = Compute,
        ["bwa"] = Compute,
        ["bowtie2"] = Compute,
        ["haplotype_caller"] = Compute,
        ["cpuhog"] = Compute,
        ["sG1IterDecon"] = Compute,
        ["fasterq-dump"] = IO,
        ["fastq_reduce"] = IO,
        ["wrapper_siftSTFByMisfit"] = Memory,
        ["sort_sam"] = Memory,
        ["dedup"] = Memory,
        // Words
        ["cat"] = IO,
        ["copy"] = IO,
        ["dump"] = IO,
        ["fetch"] = IO,
        ["gunzip"] = IO,
        ["index"] = IO,
        ["prefetch"] = IO,
        ["split"] = IO,
        ["stage"] = IO,
        ["tabix"] = IO,
        ["transfer"] = IO,
        ["untar"] = IO,
        ["unzip"] = IO,
        ["combine"] = Memory,
        ["concat"] = Memory,
        ["dumpsoftwareversions"] = Memory,
        ["join"] = Memory,
        ["markduplicates"] = Memory,
        ["merge"] = Memory,
        ["mergesamfiles"] = Memory,
        ["multiqc"] = Memory,
        ["sort"] = Memory,
        ["summary"] = Memory,
    }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    public static string TypeOf(string program)
    {
        if (Types.TryGetValue(program, out string? type))
            return type;
        // An aligner's index is work for the processor; one of a file that is there is not.
        if (program.StartsWith("bwa", StringComparison.OrdinalIgnoreCase))
            return Compute;
        foreach (string word in program.Split('_', '-', '.'))
        {
            if (Types.TryGetValue(word, out type))
                return type;
        }
        return Compute;
    }
}
