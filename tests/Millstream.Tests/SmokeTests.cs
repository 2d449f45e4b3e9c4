namespace Millstream.Tests;
public class SmokeTests { [Fact] public void Builds() => Assert.NotEmpty(typeof(SmokeTests).Assembly.GetName().Name!); }
