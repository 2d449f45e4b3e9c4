using static Millstream.Definitions.Tests.Files;

namespace Millstream.Definitions.Tests;

public sealed class SchemaTypesTests
{
    [Fact]
    public void ReadAndWrite_TypesOfTheKinds_AreTheSame()
    {
        foreach (KindShape kind in KindShape.BuiltIn.Values)
        {
            foreach (DataType type in (DataType[])[kind.With, kind.Output])
                Assert.Equal(SchemaTypes.Write(type).GetRawText(), SchemaTypes.Write(SchemaTypes.Read(SchemaTypes.Write(type))).GetRawText());
        }
    }

    [Theory]
    [InlineData("""{"type":["string","null"]}""", "string")]
    [InlineData("""{"type":"array","items":{"type":"integer"}}""", "array<integer>")]
    [InlineData("""{"type":["string","integer"]}""", "any")]
    [InlineData("""{"anyOf":[]}""", "any")]
    [InlineData("true", "any")]
    [InlineData("""{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":true}""", "object")]
    public void Read_ASchema_GivesWhatTypesCanSay(string schema, string expected) => Assert.Equal(expected, SchemaTypes.Read(Json(schema)).ToString());
}
